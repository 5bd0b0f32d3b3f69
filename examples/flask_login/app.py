"""An app with users of its own, signed in by Flask-Login, that becomes their authorization server."""

import time
from dataclasses import dataclass

from flask import Flask, abort, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.security import check_password_hash, generate_password_hash
from wtforms import PasswordField, StringField

from portula import Plugin, Provider
from portula.plugin import AuthenticatedUser, Login, User

app = Flask(__name__)
app.config.from_prefixed_env()
logins = LoginManager(app)


@dataclass
class Person(UserMixin):
    id: str
    name: str
    password_hash: str


PEOPLE = {"7": Person("7", "ann", generate_password_hash("correct horse battery staple"))}
logins.user_loader(PEOPLE.get)


class LoginForm(FlaskForm):
    username = StringField("Name")
    password = PasswordField("Password")


def check(username, password):
    """Return the person with this name and password."""
    person = next((person for person in PEOPLE.values() if person.name == username), None)
    return person if person and check_password_hash(person.password_hash, password) else None


@app.route("/login", methods=["GET", "POST"])
def login():
    form = LoginForm()
    target = request.args.get("next", "/")
    if not target.startswith("/") or target.startswith(("//", "/\\")):
        abort(400)
    if form.validate_on_submit() and (person := check(form.username.data, form.password.data)):
        login_user(person)
        session["auth_time"] = int(time.time())
        return redirect(target)
    return render_template("login.html", form=form)


class OurLogin(Plugin, Login):
    """Tells portula who sits at the browser: the answer to its slot `login`."""

    def portula_login(self, provider):
        return self

    def current(self):
        if not current_user.is_authenticated:
            return None
        return AuthenticatedUser(current_user.id, current_user.name, session["auth_time"], amr=("pwd",))

    def login_url(self, next_url, client=None):
        return url_for("login", next=next_url)

    def sign_out(self):
        logout_user()

    def find(self, subject):
        person = PEOPLE.get(subject)
        return User(person.id, person.name, active=person.is_active) if person else None

    def authenticate(self, username, password, client_address):
        """For the password grant, which is off unless PASSWORD_GRANT_ENABLED."""
        person = check(username, password)
        return self.find(person.id) if person else None


Provider(app, plugins=[OurLogin()])
