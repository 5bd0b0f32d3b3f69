"""The shop's models: tenants, and the clients that belong to them."""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from portula_storage_sql.models import ApplicationMixin


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Tenant(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    clients: Mapped[list["Client"]] = relationship(back_populates="tenant")


class Client(ApplicationMixin, db.Model):
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.id", ondelete="CASCADE"), index=True)
    plan: Mapped[str] = mapped_column(String(20), default="trial")
    tenant: Mapped[Tenant | None] = relationship(back_populates="clients")

    def is_usable(self, request):
        """Asked at every door that a client comes through."""
        return super().is_usable(request) and self.plan != "overdue"

    @property
    def skip_authorization(self):
        """People are not asked whether they trust the house itself."""
        return self.plan == "house"
