import hashlib, json, itertools, time
from datetime import UTC, datetime
from contextlib import contextmanager
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.errors import Rejected
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Run
from tests.conform.test_one_record import warehouse, _stream, _set, FEEDS, CATALOG, ENTITIES
import psycopg
LONG="".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(80))
VALUES=["9"*131000,"1e131071","9999-12-30T23:59:59.9999999Z",10**30,"9"*30+".5","-"+"9"*40,"0001-01-02","9999-12-31",1e300,-1,253402300799,"NaN",True]
def test_try(warehouse):
    n=itertools.count()
    for v in VALUES:
        t=time.time()
        for stream in FEEDS:
            rows=warehouse.rows(stream)
            if not rows: continue
            spec=_stream(stream)
            names=[x for x in spec.fields if x not in spec.primary_key and not (spec.cursor and x in spec.cursor.fields)]
            keys=list(rows)
            for i,f in enumerate(names):
                c,p=rows[keys[(i+3)%len(keys)]]
                path=(spec.fields[f].path or f)
                if path.startswith("$"): continue
                _set(p,path.split("."),v)
            page=Page([Record(k,c,False,json.dumps(p).encode()) for k,(c,p) in rows.items()],datetime.now(UTC),None)
            @contextmanager
            def source(s,u): yield lambda w,tok: iter([page])
            system,_,name=stream.partition(".")
            S=CATALOG.systems[system]
            st=S.streams[name]
            st2=st.model_copy(update={"gate":st.gate.model_copy(update={"max_quarantined_share":1.0})})
            S2=S.model_copy(update={"streams":{**S.streams,name:st2}})
            job=Job(system=S2,stream_name=name,run=Run(f"sync__{system}",f"zz__{next(n)}","os:t"),source=source,source_url="https://x",warehouse_url=warehouse.loader,entities=CATALOG.entities,run_is_over=lambda a,b:True)
            try:
                steps.land(job); steps.gate(job); steps.publish(job)
            except Rejected as e: print("REJ",stream,str(e)[:150],flush=True)
            except Exception as e: print("EXC",stream,type(e).__name__,str(e)[:300],flush=True)
        try:
            r=warehouse.conform()
            print("VALUE",str(v)[:20],"refused",r.refused,round(time.time()-t),flush=True)
        except Exception as e:
            print("CONFORM",str(v)[:20],type(e).__name__,str(e)[:500],flush=True)
        with psycopg.connect(warehouse.url,autocommit=True) as c:
            views=c.execute("select table_schema,table_name from information_schema.tables where table_schema in ('conformed','marts')").fetchall()
            for s,tn in views:
                for tz in ("UTC","Europe/Warsaw"):
                    c.execute(f"set timezone='{tz}'")
                    try: c.execute(f'select * from "{s}"."{tn}"').fetchall()
                    except Exception as e: print("   READ",s,tn,tz,type(e).__name__,str(e)[:150],flush=True)
