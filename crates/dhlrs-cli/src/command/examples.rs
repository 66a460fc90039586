//! The examples that `--help` shows. A test parses every line, and checks that addresses are quoted.

pub(super) const TOP: &str = "\
Examples:
  dhlrs demo
  dhlrs serve --data ./data
  dhlrs set '//main/orders.o1.status' paid
  dhlrs get '//main/orders.o1.status'
  dhlrs watch '//main/orders'

Exit codes: 0 done, 1 missing or a check failed, 2 usage, 3 refused, 4 unreachable or a read timed out,
5 a write was sent and its outcome is unknown, 130 Ctrl-C.

--via, --timeout, --identity and --tls-ca may stand before the command as well.

A few words (docs/glossary.md has them all):
  bag          an ordered list of bag nodes with unique labels; the inside of a branch
  bag node     one element of the tree: a label, a value or a bag, attributes
  resolver     computes a bag node's value when it is read
  materialise  to keep what a resolver gave as ordinary bag nodes, which can be written
  revision     the number of a change of a store, one after the other
  incarnation  one unbroken life of a store's log; revisions of two do not compare";

pub(super) const DEMO: &str = "\
Examples:
  dhlrs demo
  dhlrs demo --input records.json --key id";

pub(super) const SERVE: &str = "\
Examples:
  dhlrs serve
  dhlrs serve --data ./data --store orders --store stock
  dhlrs serve --name base/main --listen ws://127.0.0.1:0 --connect ws://10.0.0.7:7411
  dhlrs serve --resolve 'main/profiles.*=base/main/people/{user_id},cache=30'
  dhlrs serve --forward 'main/orders.**=base/main/in'
  dhlrs serve --data ./data --store field=replicated --connect ws://10.0.0.7:7411
  dhlrs serve --config node.toml
  dhlrs serve --listen wss://127.0.0.1:0 --tls-cert cert.pem --tls-key key.pem

A certificate of one's own, which the others trust by --tls-ca cert.pem (put your names and addresses in):
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \\
    -keyout key.pem -out cert.pem -subj '/CN=localhost' \\
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -addext 'basicConstraints=critical,CA:FALSE'";

pub(super) const GET: &str = "\
Examples:
  dhlrs get '//main/orders.o1.status'
  dhlrs get 'base/main/orders/#0.status'
  dhlrs get '//main/orders.o1?colour'
  dhlrs get '//main/orders' --json
  dhlrs get '//field/orders.o1' --at 2026-01-31T12:00:00Z
  dhlrs get '//field/orders.o1' --at 1769860800000.2";

pub(super) const LS: &str = "\
Examples:
  dhlrs ls '//main'
  dhlrs ls '//main/orders.#-1'";

pub(super) const TREE: &str = "\
Examples:
  dhlrs tree '//main'
  dhlrs tree 'base/main/orders/o1' --static";

pub(super) const ATTRS: &str = "\
Examples:
  dhlrs attrs '//main/orders.o1'
  dhlrs attrs '//main'";

pub(super) const BAG: &str = "\
Examples:
  dhlrs bag --json-lines

It reads lines such as {\"op\":\"set\",\"path\":\"a.b\",\"value\":1}.";

pub(super) const QUERY: &str = "\
Examples:
  dhlrs query '//main/**.name'
  dhlrs query '//main/orders.*.status'";

pub(super) const SET: &str = "\
Examples:
  dhlrs set '//main/orders.o1.status' paid
  dhlrs set '//main/orders.o1.total' 12.50 --type decimal
  dhlrs set '//main/orders.o1?colour' red
  dhlrs set '//main/balance' -5
  dhlrs set '//main/orders.o2' null --if-missing --position before:o1
  dhlrs set '//main/orders.o1.note' - --reason 'from the field'
  dhlrs set --stdin --in-flight 64";

pub(super) const RM: &str = "\
Examples:
  dhlrs rm '//main/orders.o1'
  dhlrs rm '//main/orders.o1?colour'
  dhlrs rm '//main/orders.#0' --if-rev 41";

pub(super) const INVALIDATE: &str = "\
Examples:
  dhlrs invalidate '//main/profiles.u1'";

pub(super) const REFRESH: &str = "\
Examples:
  dhlrs refresh '//main/profiles.u1'";

pub(super) const MATERIALISE: &str = "\
Examples:
  dhlrs materialise '//main/profiles.u1'";

pub(super) const MV: &str = "\
Examples:
  dhlrs mv '//main/orders.o1' '//main/archive.o1'
  dhlrs mv '//main/orders.o1' '//main/orders.o1' --position first";

pub(super) const RENAME: &str = "\
Examples:
  dhlrs rename '//main/orders.o1' o-0001";

pub(super) const WATCH: &str = "\
Examples:
  dhlrs watch '//main/orders'
  dhlrs watch '//main/orders.*.status' --kind value --count 1 --for 10s
  dhlrs watch '//main' --from 1 --json";

pub(super) const IMPORT: &str = "\
Examples:
  dhlrs import '//main/records' field-assessments.json --key id
  dhlrs import '//main/stock' stock.csv --key sku
  dhlrs import '//main/parts' parts.xml
  dhlrs import '//copy' tree.json --typed
  dhlrs import '//main/in' - --format json

Types: JSON values keep theirs, and cells of CSV are text. Texts and attributes of XML
are text, too, but for XML of `export --typed`, which says its types.";

pub(super) const EXPORT: &str = "\
Examples:
  dhlrs export '//main/orders'
  dhlrs export '//main/orders' --format xml
  dhlrs export '//main' --typed --output main.json";

pub(super) const KEY: &str = "\
Examples:
  dhlrs key
  dhlrs key --identity ./team.key";

pub(super) const STATUS: &str = "\
Examples:
  dhlrs status
  dhlrs status --via ws://10.0.0.7:7411 --json";

pub(super) const FEEDS: &str = "\
Replicas that have reduced the same events print the same state.

Examples:
  dhlrs feeds '//field'
  dhlrs feeds 'base/main/field' --json";

pub(super) const LOG: &str = "\
Prints STAMP, TIME, AUTHOR, SEQ, KIND, PATH and what was written, with tabs between them.
`dhlrs get --at STAMP` shows the tree as it was after that event.

Examples:
  dhlrs log '//field/orders.o1' --limit 20
  dhlrs log '//field' --before 2026-01-31T12:00:00Z
  dhlrs log '//field/orders' --json";

pub(super) const DRAFTS: &str = "\
A draft is a write that was acknowledged and that nobody sees: a backup was put back, the clock was
wrong, or the key was used twice. apply writes drafts again, --newer only those that undo nothing of
what was written since; what is left out stays a draft. Exit: 1 if something was left out.

Examples:
  dhlrs drafts list '//field'
  dhlrs drafts apply '//field' --newer
  dhlrs drafts drop '//field'";

pub(super) const EMIT: &str = "\
Examples:
  dhlrs emit '//field' till.count '{\"coins\":3}'
  dhlrs emit 'base/main/field' shift.over true
  dhlrs emit '//field' till.count -";

pub(super) const RECORD: &str = "\
Of two values of a field the later one counts; notes add up. show reads the store's whole history.

Examples:
  dhlrs record create '//field' r1 damage
  dhlrs record set '//field' r1 storeys 2
  dhlrs record note '//field' r1 'roof is gone'
  dhlrs record show '//field'
  dhlrs record show '//field' r1 --json";

pub(super) const CHECKPOINT: &str = "\
Examples:
  dhlrs checkpoint '//field'";

pub(super) const VERIFY: &str = "\
Prints STORE, tab, `in order` or `DAMAGED`, tab, what there is; then a line for each damaged file.
Exit: 0 in order, 1 damaged or no data directory, 3 a node is running there.

Examples:
  dhlrs verify ./data
  dhlrs verify ./data --json";

pub(super) const COMPLETIONS: &str = "\
Examples:
  dhlrs completions bash";
