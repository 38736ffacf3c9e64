"""What is asked of the warehouse, a file each: no record's content, no error's text, only who, what, when, how many.

`%(since)s` and `%(until)s` are the period; sections without them show the state when the folder is made.
"""

from __future__ import annotations

from dataclasses import dataclass

_EVENTS = """
select seq, at, actor, action, subject, "from", "to", result, payload::text as facts
from audit.event
where at >= %(since)s and at < %(until)s and (action ~ %(actions)s or result ~ %(results)s) order by seq
"""
_NO_RESULT = "^$"


@dataclass(frozen=True)
class Section:
    """One file: its name, what it shows, which controls it is evidence of, and the query that gives its rows."""

    name: str
    shows: str
    controls: str
    """ISO/IEC 27001:2022, Annex A, and articles of the GDPR."""
    query: str
    at_export: bool = False
    """Whether it shows the state when the folder is made, and not the period."""
    actions: str = ""
    """Of audit events: which actions, a regular expression."""
    results: str = _NO_RESULT
    """Of audit events: which results, whatever the action."""


DATABASE_ROLES = Section(
    "access_database_roles",
    "every role of the PostgreSQL server, what it may do there, and of which roles it is a member",
    "A.5.15, A.5.18, A.8.2; GDPR 32",
    """
    select r.rolname as role, r.rolcanlogin as signs_in, r.rolsuper as superuser, r.rolcreaterole as makes_roles,
        r.rolcreatedb as makes_databases, r.rolreplication as replicates, r.rolbypassrls as bypasses_row_security,
        r.rolconnlimit as connection_limit, r.rolvaliduntil as valid_until,
        (select string_agg(g.rolname, ' ' order by g.rolname) from pg_auth_members as m
            join pg_roles as g on g.oid = m.roleid where m.member = r.oid) as member_of
    from pg_roles as r where r.rolname !~ '^pg_' order by r.rolname collate "C"
    """,
    at_export=True,
)
DATABASE_GRANTS = Section(
    "access_database_grants",
    "who may do what with which database, schema, table, view, column or function (owners' own rights left out; of the "
    "tables of single loads in landing only the schema's)",
    "A.5.15, A.8.3; GDPR 25, 32",
    """
    with granted as (
        select 'database' as kind, datname as object, null as col, datdba as owner,
            coalesce(datacl, acldefault('d', datdba)) as acl
        from pg_database where not datistemplate
        union all
        select 'schema', nspname, null, nspowner, coalesce(nspacl, acldefault('n', nspowner))
        from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
        union all
        select case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end,
            n.nspname || '.' || c.relname, null, c.relowner, c.relacl
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and not c.relispartition and n.nspname !~ '^pg_'
            and n.nspname not in ('information_schema', 'landing')
        union all
        select 'column', n.nspname || '.' || c.relname, a.attname, c.relowner, a.attacl
        from pg_attribute as a join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace
        where a.attacl is not null and not a.attisdropped and n.nspname !~ '^pg_'
            and n.nspname not in ('information_schema', 'landing')
        union all
        select 'function', n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
            null, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
        where p.prosecdef and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    )
    select coalesce(r.rolname, 'PUBLIC') as role, kind, object, col as "column", o.rolname as owner,
        string_agg(e.privilege_type, ' ' order by e.privilege_type) as may
    from granted cross join aclexplode(acl) as e
        left join pg_roles as r on r.oid = e.grantee left join pg_roles as o on o.oid = granted.owner
    where e.grantee <> granted.owner
    group by r.rolname, kind, object, col, o.rolname
    order by coalesce(r.rolname, 'PUBLIC') collate "C", kind collate "C", object collate "C", col collate "C"
    """,
    at_export=True,
)
READS = Section(
    "access_reads",
    "who queried the warehouse by `sql`, when, and what came of it; who read personal columns directly, "
    "between when and when, and what of that was missed (read.gap); a statement by its hash",
    "A.8.3, A.8.15; GDPR 5(2), 32",
    _EVENTS,
    actions=r"^read\.",
)
APPROVALS = Section(
    "approvals",
    "what was planned, approved, turned down and executed, and by whom",
    "A.5.3, A.8.32; GDPR 5(2)",
    _EVENTS,
    actions=r"^(approval|migration|rollback|replay|erasure|retention)\.|\.(approve|approved|decide)$",
)
CHANGES = Section(
    "changes",
    "changes of schema, keys, published sets and who may come in",
    "A.8.9, A.8.32",
    _EVENTS,
    actions=r"^(schema|checkpoint|people|access|account|login)\.|^conform\.switch$",
)
RELEASES = Section(
    "changes_releases",
    "the schema migrations that were applied, by which release of Onefold, and the hash of each",
    "A.8.9, A.8.32",
    """
    select name as migration, sha256, engine_version as release, applied_at
    from ops.schema_migration where applied_at >= %(since)s and applied_at < %(until)s order by name collate "C"
    """,
)
MAPPINGS = Section(
    "changes_mappings",
    "mapping rules that came into force or went out of it: which field makes which attribute, through what",
    "A.8.32; GDPR 5(1)(d)",
    """
    select entity, attribute, system, stream, transform, mapping_version, personal_class, encode(hash, 'hex') as hash,
        valid_from,
        case when valid_to < %(until)s then valid_to end as valid_to
    from ops.mapping
    where valid_from < %(until)s and (valid_from >= %(since)s or (valid_to >= %(since)s and valid_to < %(until)s))
    order by entity collate "C", attribute collate "C", system collate "C", stream collate "C", mapping.valid_from
    """,
)
FAILED_LOADS = Section(
    "incidents_failed_loads",
    "loads that failed or were rejected, and publishes of entities that were refused",
    "A.5.24, A.5.25, A.8.15",
    _EVENTS,
    actions=r"^(load\.reject|conform\.refuse)$",
    results="^(failed|rejected|refused)$",
)
ALERTS = Section(
    "incidents_alerts",
    "alerts that were opened, missed freshness SLAs among them (kind freshness), and when each ended in the period",
    "A.5.24, A.5.26, A.8.16; GDPR 32(1)(b)",
    """
    select o.subject as alert, o.payload ->> 'kind' as kind, o.payload ->> 'about' as about,
        o.at as opened_at,
        (select min(r.at) from audit.event as r
            where r.subject = o.subject and r.action = 'alert.resolve' and r.at < %(until)s) as resolved_at
    from audit.event as o
    where o.action = 'alert.open' and o.at >= %(since)s and o.at < %(until)s order by o.seq
    """,
)
QUARANTINED = Section(
    "incidents_quarantined",
    "how many rows each rule kept out, by stream",
    "A.8.28; GDPR 5(1)(d)",
    """
    select system, stream, suite, expectation, count(*) as rows
    from ops.quarantine where quarantined_at >= %(since)s and quarantined_at < %(until)s
    group by system, stream, suite, expectation
    order by system collate "C", stream collate "C", suite collate "C", expectation collate "C"
    """,
)
HELD_BACK = Section(
    "incidents_held_back",
    "how many golden records stay at their last published state, by entity and rule",
    "GDPR 5(1)(d)",
    """
    select entity, suite, reason, count(*) as records from ops.held_back group by entity, suite, reason
    order by entity collate "C", suite collate "C", reason collate "C"
    """,
    at_export=True,
)
BACKUPS = Section(
    "backups",
    "backups and restores that the audit chain tells of (what backs the machine up is outside of Onefold)",
    "A.8.13, A.8.14; GDPR 32(1)(c)",
    _EVENTS,
    actions="backup|restore",
)
ARCHIVING = Section(
    "backups_settings",
    "what PostgreSQL is set to do with its write-ahead log",
    "A.8.13",
    """
    select name, setting from pg_settings
    where name in ('archive_mode', 'wal_level', 'max_wal_senders', 'fsync', 'full_page_writes', 'data_checksums', 'ssl')
    order by name collate "C"
    """,
    at_export=True,
)

SECTIONS = (
    DATABASE_ROLES,
    DATABASE_GRANTS,
    READS,
    APPROVALS,
    CHANGES,
    RELEASES,
    MAPPINGS,
    FAILED_LOADS,
    ALERTS,
    QUARANTINED,
    HELD_BACK,
    BACKUPS,
    ARCHIVING,
)
