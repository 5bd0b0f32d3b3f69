"""A shop whose clients belong to tenants: portula keeps them in the shop's own table."""

from pathlib import Path

import click
from flask import Flask
from shop import Client, Tenant, db
from sqlalchemy import URL

from portula import Provider
from portula.plugin import Application

app = Flask(__name__)
Path(app.instance_path).mkdir(exist_ok=True)
app.config["SQLALCHEMY_DATABASE_URI"] = URL.create(
    "sqlite", database=str(Path(app.instance_path) / "shop.sqlite3")
).render_as_string()
app.config.from_prefixed_env()
app.config["OAUTH2_PROVIDER"] = {
    "APPLICATION_MODEL": Client,
    "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
}
db.init_app(app)
provider = Provider(app)


@app.cli.command("new-client")
@click.argument("tenant")
@click.option("--plan", default="trial")
def new_client(tenant, plan):
    """Register a client of a tenant, who is made if need be."""
    owner = db.session.scalar(db.select(Tenant).filter_by(name=tenant)) or Tenant(name=tenant)
    db.session.add(owner)
    db.session.commit()
    record = provider.storage.model(Application)  # what the table Client is to portula
    client, secret = provider.clients.create(
        record(
            client_id="",
            name=f"An app of {tenant}",
            grant_types=("client_credentials", "authorization_code"),
            redirect_uris=("http://127.0.0.1:8765/callback",),
            tenant_id=owner.id,
            plan=plan,
        )
    )
    click.echo(f"client_id      {client.client_id}")
    click.echo(f"client_secret  {secret}")


@app.cli.command("set-plan")
@click.argument("client_id")
@click.argument("plan")
def set_plan(client_id, plan):
    """Change what a tenant pays for; the next request knows."""
    db.session.get_one(Client, client_id).plan = plan
    db.session.commit()
