#!/usr/bin/env python3
"""genro-bag oracle: JSON-lines operations on stdin -> JSON-lines results on stdout.

One request object per line, one response object per line, same order.
  request : {"id":<any>,"op":<name>,...args}
  response: {"id":..,"ok":<encoded>}  or  {"id":..,"err":<class>,"py":"<python exc>"}   plus  "ev":[...] when events fired
It is part of this project (MIT OR Apache-2.0) and calls genro-bag (Apache-2.0, PyPI, not part of this project) as a
library of its own process. The Rust test beside it starts it; by hand: `python bag_oracle.py < requests.jsonl`.
"""
import sys, json, os, base64, math, hashlib, warnings, datetime as _dt, decimal
warnings.simplefilter("ignore")
import genro_bag.resolver as _R
from genro_bag import Bag, BagNode, BagException, BagNodeException, BagSerializationError
from genro_bag.resolver import BagCbResolver, BagResolver

MUT = os.environ.get("ORACLE_MUTANT", "")
# ---- deterministic clock (cache_time tests) --------------------------------------------------
class _Clock(_dt.datetime):
    t = _dt.datetime(2030, 1, 1)
    @classmethod
    def now(cls, tz=None): return _Clock.t
_R.datetime = _Clock

class Ops:
    def __init__(self):
        self.reset()

    def reset(self):
        self.h = {"0": Bag()}          # handles: name -> Bag
        self.ev = []                    # event log of the current op
        self.calls = {}                 # counter-resolver calls
        self.tx = []                    # open transactions
        _Clock.t = _dt.datetime(2030, 1, 1)

    # ---- values ------------------------------------------------------------------------------
    def enc(self, v, depth=0):
        if depth > 200: return {"$deep": 1}
        if isinstance(v, Bag): return {"$bag": [self.enc_node(n, depth + 1) for n in v]}
        if isinstance(v, BagNode): return {"$node": self.enc_node(v, depth + 1)}
        if isinstance(v, BagResolver): return {"$res": v._kw.get("name", type(v).__name__)}
        if v is None or isinstance(v, (bool, str, int)): return v
        if isinstance(v, float):
            return v if math.isfinite(v) else {"$f": repr(v)}
        if isinstance(v, decimal.Decimal): return {"$dec": str(v)}
        if isinstance(v, _dt.datetime): return {"$dt": v.isoformat()}
        if isinstance(v, _dt.date): return {"$date": v.isoformat()}
        if isinstance(v, _dt.time): return {"$time": v.isoformat()}
        if isinstance(v, bytes): return {"$b64": base64.b64encode(v).decode()}
        if isinstance(v, tuple): return {"$t": [self.enc(x, depth + 1) for x in v]}
        if isinstance(v, list): return [self.enc(x, depth + 1) for x in v]
        if isinstance(v, dict): return {"$d": {k: self.enc(x, depth + 1) for k, x in v.items()}}
        return {"$py": type(v).__name__}

    def enc_node(self, n, depth=0):
        o = [n.label, self.enc(n.static_value, depth), {k: self.enc(x, depth) for k, x in sorted(n.attr.items())}]
        if n.resolver is not None: o.append({"res": n.resolver._kw.get("name", type(n.resolver).__name__)})
        return o

    def dec(self, v):
        if isinstance(v, list): return [self.dec(x) for x in v]
        if isinstance(v, dict):
            if "$bag" in v: return self.mkbag(v["$bag"])
            if "$ref" in v: return self.h[v["$ref"]]
            if "$res" in v: return self.mkres(v["$res"])
            if "$dec" in v: return decimal.Decimal(v["$dec"])
            if "$dt" in v: return _dt.datetime.fromisoformat(v["$dt"])
            if "$date" in v: return _dt.date.fromisoformat(v["$date"])
            if "$time" in v: return _dt.time.fromisoformat(v["$time"])
            if "$b64" in v: return base64.b64decode(v["$b64"])
            if "$f" in v: return float(v["$f"])
            if "$t" in v: return tuple(self.dec(x) for x in v["$t"])
            if "$d" in v: return {k: self.dec(x) for k, x in v["$d"].items()}
            raise ValueError(f"unknown value tag {v!r}")
        return v

    def mkbag(self, nodes):
        b = Bag()
        for label, value, *rest in nodes:
            b._append_literal(label, self.dec(value), attr={k: self.dec(x) for k, x in (rest[0] if rest else {}).items()})
        return b

    def mkres(self, spec):
        """Counter resolver: value is {name, n-th call, params}; spec: {name, cache_time?, read_only?, kw?, bag?, fail?}"""
        name = spec["name"]
        def cb(name=None, **kw):
            self.calls[name] = n = self.calls.get(name, 0) + 1
            if spec.get("fail"): raise ZeroDivisionError("resolver failure")
            if spec.get("bag"): return self.mkbag(spec["bag"])
            return f"{name}:{n}:{json.dumps(kw, sort_keys=True)}" if kw else f"{name}:{n}"
        k = {x: spec[x] for x in ("cache_time", "read_only") if x in spec}
        return BagCbResolver(cb, name=name, **k, **spec.get("kw", {}))

    # ---- helpers -----------------------------------------------------------------------------
    def B(self, r): return self.h[str(r.get("bag", "0"))]
    def node(self, r):
        n = self.B(r).get_node(r["path"], static=r.get("static", True))
        return n

    def log(self, sub):
        def cb(**k):
            e = {"s": sub, "evt": k["evt"], "node": k["node"].label, "path": list(k.get("pathlist") or [])}
            if k.get("ind") is not None: e["ind"] = k["ind"]
            if k.get("reason") is not None: e["reason"] = k["reason"]
            if k.get("fired"): e["fired"] = True
            if "oldvalue" in k: e["old"] = self.enc(k["oldvalue"])
            d = k.get("attrs_diff")
            if d: e["diff"] = {a: [self.enc(x["old"]), self.enc(x["new"])] for a, x in sorted(d.items())}
            if MUT == "lost_old": e.pop("old", None)
            self.ev.append(e)
            if self.veto.get(sub): return False
        return cb
    veto = {}

    # ---- operations --------------------------------------------------------------------------
    def op_reset(self, r): self.reset(); self.veto = {}
    def op_new(self, r): self.h[r["as"]] = self.mkbag(r.get("value", []))
    def op_set(self, r):
        kw = {}
        if "pos" in r: kw["node_position"] = r["pos"]
        if "attrs" in r: kw["_attributes"] = {k: self.dec(v) for k, v in r["attrs"].items()}
        for a, b in (("updattr", "_updattr"), ("reason", "_reason"), ("fired", "_fired"), ("trigger", "do_trigger"), ("rmnull", "_remove_null_attributes")):
            if a in r: kw[b] = r[a]
        if r.get("resolver") is False and self.B(r).get_node(r["path"].split("?")[0], static=True) is not None:
            kw["resolver"] = False      # on a missing node genro-bag 0.28.0 raises AttributeError (quirk Q12): the flag is dropped here
        v = self.dec(r.get("value"))
        if MUT == "set_noattr": kw.pop("_attributes", None)
        self.B(r).set_item(r["path"], v, **kw)
    def op_get(self, r): return self.B(r).get_item(r["path"], default=r.get("default"), static=r.get("static", False), **r.get("kw", {}))
    def op_get1(self, r): return self.B(r).get(r["path"], r.get("default"), static=r.get("static", True))
    def op_has(self, r): return r["path"] in self.B(r)
    def op_pop(self, r): return self.B(r).pop(r["path"], r.get("default"), _reason=r.get("reason"))
    def op_del(self, r): self.B(r).pop(r["path"], _reason=r.get("reason"))
    def op_popnode(self, r): return self.B(r).pop_node(r["path"])
    def op_clear(self, r): self.sub(r).clear(trigger=r.get("trigger", True))
    def sub(self, r):
        p = r.get("path")
        v = self.B(r).get_item(p, static=True) if p else self.B(r)
        if not isinstance(v, Bag): raise LookupError("not a Bag")
        return v
    def op_attrs(self, r): n = self.node(r); return None if n is None else dict(n.attr)
    def op_setattr(self, r): self.B(r).set_attr(r["path"], {k: self.dec(v) for k, v in r["attrs"].items()}, _remove_null_attributes=r.get("rmnull", True))
    def op_delattr(self, r): self.B(r).del_attr(r["path"], *r["names"])
    def op_inherited(self, r): n = self.node(r); return None if n is None else n.get_inherited_attributes()
    def op_owner(self, r):
        n = self.node(r); n = n and n.attribute_owner_node(r["attr"], r.get("value")); return n and n.label
    def op_node(self, r): return self.node(r)
    def op_fullpath(self, r): n = self.node(r); return n and n.fullpath
    def op_position(self, r): n = self.node(r); return n and n.position
    def op_keys(self, r): return self.sub(r).keys()
    def op_len(self, r): return len(self.sub(r))
    def op_move(self, r):
        self.sub(r).move(r["what"], r["to"])
    def op_sort(self, r): self.sub(r).sort(r.get("key", "#k:a"))
    def op_sum(self, r): return self.sub(r).sum(r.get("what", "#v"), r.get("strict", False))
    def op_query(self, r):
        q = [x for x in self.sub(r).query(r.get("what"), deep=r.get("deep", False), leaf=r.get("leaf", True), branch=r.get("branch", True), limit=r.get("limit"), static=r.get("static", True))]
        return [list(map(self.enc, x)) if isinstance(x, tuple) else self.enc(x) for x in q]
    def op_digest(self, r): return [list(map(self.enc, x)) if isinstance(x, tuple) else self.enc(x) for x in self.sub(r).digest(r.get("what"), as_columns=r.get("cols", False))]
    def op_leaves(self, r): return [[p, self.enc(v)] for p, v in self.sub(r).get_leaves()]
    def op_walk(self, r): return [p for p in self.sub(r).query("#p", deep=True)]
    def op_findattr(self, r): n = self.sub(r).get_node_by_attr(r["attr"], self.dec(r.get("value")), deep_first=r.get("deep_first", False)); return n and n.label
    def op_isempty(self, r): return self.sub(r).is_empty(r.get("zero", False), r.get("blank", False))
    def op_update(self, r): self.sub(r).update(self.dec(r["value"]), ignore_none=r.get("ignore_none", False))
    def op_updatemap(self, r): self.sub(r).update({k: self.dec(v) for k, v in r["value"].items()}, ignore_none=r.get("ignore_none", False))
    def op_replace(self, r): self.sub(r).replace(self.dec(r["value"]))
    def op_setdefault(self, r): return self.B(r).setdefault(r["path"], self.dec(r.get("value")))
    def op_copy(self, r): self.h[r["as"]] = self.sub(r).deepcopy()
    def op_eq(self, r): return self.h[r["a"]] == self.h[r["b"]]
    def op_backref(self, r): self.B(r).set_backref()
    def op_sub(self, r):
        self.veto = dict(self.veto); self.veto[r["name"]] = r.get("veto", False)
        cb = self.log(r["name"]); kinds = r.get("kinds", ["upd", "ins", "del"])
        m = {"upd": "update", "ins": "insert", "del": "delete"}
        self.sub(r).subscribe(r["name"], **{m[k]: cb for k in kinds})
    def op_unsub(self, r): self.sub(r).unsubscribe(r["name"], any=True)
    def op_nsub(self, r):
        name = r["name"]
        def cb(node, info, evt):
            e = {"s": name, "evt": evt, "node": node.label}
            if "oldvalue" in info: e["old"] = self.enc(info["oldvalue"])
            d = info.get("attrs_diff")
            if d: e["diff"] = {a: [self.enc(x["old"]), self.enc(x["new"])] for a, x in sorted(d.items())}
            self.ev.append(e)
        n = self.node(r)
        if n is None: raise KeyError(r["path"])
        n.subscribe(name, cb)
    def op_tsub(self, r):
        name = r["name"]
        def cb(bag, mutations):
            out = []
            for m in mutations:
                out.append([m[0], m[1].label, list(m[2])] + ([m[3]] if m[0] == "upd" else [m[3]]))
            self.ev.append({"s": name, "evt": "txn", "muts": out})
        self.sub(r).subscribe(name, transaction=cb)
    def op_begin(self, r): c = self.sub(r).transaction(); c.__enter__(); self.tx.append(c)
    def op_end(self, r):
        c = self.tx.pop()
        if r.get("abort"):
            try: raise RuntimeError("abort")
            except RuntimeError:
                try: c.__exit__(*sys.exc_info())
                except RuntimeError: pass
        else: c.__exit__(None, None, None)
    def op_clock(self, r): _Clock.t = _Clock.t + _dt.timedelta(seconds=r["add"])
    def op_resetres(self, r):
        n = self.node(r)
        if n is None or n.resolver is None: raise LookupError("no resolver")
        n.resolver.reset()
    def op_calls(self, r): return self.calls.get(r["name"], 0)
    def op_tytx(self, r): return self.sub(r).to_tytx(compact=r.get("compact", False))
    def op_untytx(self, r): self.h[r["as"]] = Bag.from_tytx(r["text"])
    def op_xml(self, r): return self.sub(r).to_xml(pretty=r.get("pretty", False))
    def op_unxml(self, r): self.h[r["as"]] = Bag.from_xml(r["text"])
    def op_json(self, r): return self.sub(r).to_json(typed=r.get("typed", True))
    def op_dump(self, r): return self.sub(r)
    def op_hash(self, r):
        s = json.dumps(self.enc(self.sub(r)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(s.encode()).hexdigest()[:32]

    # ---- error classes -----------------------------------------------------------------------
    @staticmethod
    def cls(e):
        m = str(e)
        if isinstance(e, BagNodeException):
            if "resolver" in m: return "resolver-guard"
            if "attributes" in m: return "attr-arity"
            return "index-create"
        if isinstance(e, BagSerializationError): return "serialize"
        if isinstance(e, BagException): return "index-missing"
        if isinstance(e, ValueError):
            if "node_position" in m: return "bad-position"
            if "non-empty" in m: return "empty-path"
            return "value"
        if isinstance(e, LookupError): return "missing"
        if isinstance(e, ZeroDivisionError): return "callback"
        if isinstance(e, RecursionError): return "recursion"
        if isinstance(e, TypeError): return "type"
        return "internal"      # AttributeError etc.: the reference has no defined behaviour here

    def run(self, r):
        self.ev = []
        out = {"id": r.get("id")}
        try:
            f = getattr(self, "op_" + r["op"], None)
            if f is None: out["err"] = "unknown-op"
            else: out["ok"] = self.enc(f(r))
        except Exception as e:
            out["err"] = self.cls(e); out["py"] = f"{type(e).__name__}: {e}"[:160]
        if self.ev: out["ev"] = self.ev
        return out

def main():
    o = Ops(); w = sys.stdout.write
    for line in sys.stdin:
        line = line.strip()
        if not line: continue
        try: r = json.loads(line)
        except ValueError as e: w(json.dumps({"id": None, "err": "bad-json"}) + "\n"); sys.stdout.flush(); continue
        w(json.dumps(o.run(r), ensure_ascii=False, separators=(",", ":")) + "\n"); sys.stdout.flush()
if __name__ == "__main__": main()
