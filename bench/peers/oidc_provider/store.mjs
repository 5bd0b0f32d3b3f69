// Where oidc-provider keeps what it keeps: one table of PostgreSQL, a row a record, by prepared statements.

const TABLE = [
  `CREATE TABLE record (kind text, id text, payload jsonb NOT NULL, grant_id text, uid text, user_code text,
     expires_at bigint, consumed_at bigint, PRIMARY KEY (kind, id))`,
  "CREATE INDEX ON record (grant_id) WHERE grant_id IS NOT NULL",
  "CREATE INDEX ON record (uid) WHERE uid IS NOT NULL",
  "CREATE INDEX ON record (user_code) WHERE user_code IS NOT NULL",
];

const now = () => Math.floor(Date.now() / 1000);

export default function makeStore(pg, connectionString) {
  const pool = new pg.Pool({ connectionString, max: 10 });

  class Adapter {
    constructor(kind) {
      this.kind = kind;
    }

    run(name, text, ...values) {
      return pool.query({ name, text, values });
    }

    async found(name, condition, value) {
      const text = `SELECT payload, consumed_at FROM record WHERE kind = $1 AND ${condition} = $2
        AND (expires_at IS NULL OR expires_at > $3)`;
      const { rows } = await this.run(name, text, this.kind, value, now());
      if (!rows.length) return undefined;
      const { payload, consumed_at } = rows[0];
      return consumed_at ? { ...payload, consumed: Number(consumed_at) } : payload;
    }

    find(id) {
      return this.found("find", "id", id);
    }

    findByUid(uid) {
      return this.found("find by uid", "uid", uid);
    }

    findByUserCode(code) {
      return this.found("find by user code", "user_code", code);
    }

    upsert(id, payload, seconds) {
      const text = `INSERT INTO record (kind, id, payload, grant_id, uid, user_code, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, id) DO UPDATE SET payload = excluded.payload,
        grant_id = excluded.grant_id, uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at`;
      const { grantId, uid, userCode } = payload;
      const until = seconds ? now() + seconds : null;
      return this.run("upsert", text, this.kind, id, payload, grantId ?? null, uid ?? null, userCode ?? null, until);
    }

    consume(id) {
      return this.run("consume", "UPDATE record SET consumed_at = $3 WHERE kind = $1 AND id = $2", this.kind, id, now());
    }

    destroy(id) {
      return this.run("destroy", "DELETE FROM record WHERE kind = $1 AND id = $2", this.kind, id);
    }

    revokeByGrantId(grantId) {
      return this.run("revoke", "DELETE FROM record WHERE kind = $1 AND grant_id = $2", this.kind, grantId);
    }
  }

  return {
    Adapter,
    makeTable: async () => {
      for (const statement of TABLE) await pool.query(statement);
    },
    close: () => pool.end(),
  };
}
