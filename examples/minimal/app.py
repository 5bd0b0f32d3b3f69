from flask import Flask

from portula import Provider
from portula_resource_server import current_token, require_oauth

app = Flask(__name__)
app.config.from_prefixed_env()
Provider(app)


@app.get("/tea")
@require_oauth("read")
def tea():
    return {"tea": "green", "for": current_token.client_id}
