from flask import Flask

import portula_resource_server
from portula import Provider
from portula_resource_server import current_token, require_oauth

app = Flask(__name__)
app.config.from_prefixed_env()
Provider(app, plugins=[portula_resource_server], discover=False)


@app.get("/tea")
@require_oauth("read")
def tea():
    return {"tea": "black", "for": current_token.client_id}
