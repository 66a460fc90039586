//! Random sequences of requests, one profile each. What an F row of the specification decides
//! otherwise than the reference is not asked here, or is masked in `compare.rs`; our own answer to
//! it is tested in `tests/it`.

use serde_json::{Map, Value, json};

use crate::{
    random::Random,
    values::{TYTX, XML},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    Core,
    Attributes,
    Events,
    Resolvers,
}

pub(crate) const PROFILES: [Profile; 4] = [
    Profile::Core,
    Profile::Attributes,
    Profile::Events,
    Profile::Resolvers,
];

pub(crate) struct Generator {
    pub(crate) random: Random,
    profile: Profile,
    // Handles that the sequence has made.
    handles: Vec<String>,
    made: usize,
    // A resolved bag is part of our tree and not of theirs; only where nothing tells them apart.
    pub(crate) may_link: bool,
    is_open: bool,
    // A merge takes the labels of a bag for paths there.
    pub(crate) may_escape: bool,
}

const LABELS: [&str; 6] = ["a", "b", "c", "d", "e", "räder"];
pub(crate) const NAMES: [&str; 5] = ["x", "y", "z", "id", "name"];
const SUBSCRIBERS: [&str; 3] = ["s1", "s2", "s3"];
pub(crate) const RESOLVERS: [&str; 3] = ["r1", "r2", "r3"];

impl Generator {
    pub(crate) fn new(seed: u64, profile: Profile) -> Self {
        let mut random = Random::new(seed);
        let may_link = profile != Profile::Resolvers || random.chance(50);
        Self {
            random,
            profile,
            handles: vec!["0".to_owned()],
            made: 0,
            may_link,
            is_open: false,
            may_escape: true,
        }
    }

    /// A sequence of requests, the first of which forgets everything.
    pub(crate) fn sequence(&mut self, length: usize) -> Vec<String> {
        let mut lines = vec![json!({"id": 0, "op": "reset"}).to_string()];
        if self.may_link && self.random.chance(50) {
            lines.push(json!({"id": 1, "op": "backref"}).to_string());
        }
        let subscribers = match self.profile {
            Profile::Events => 2 + self.random.below(3),
            _ => usize::from(self.may_link && self.random.chance(20)),
        };
        for _ in 0..subscribers {
            let request = self.subscription();
            lines.push(request.to_string());
        }
        while lines.len() < length {
            let mut request = self.request();
            if let Value::Object(fields) = &mut request {
                fields.insert("id".to_owned(), json!(lines.len()));
            }
            let line = match self.random.below(600) {
                0 => "{\"id\":1,\"op\":\"get\",".to_owned(),
                1 => "nothing".to_owned(),
                _ => request.to_string(),
            };
            lines.push(line);
        }
        if self.is_open {
            lines.push(json!({"id": length, "op": "end"}).to_string());
        }
        lines.push(json!({"id": length, "op": "dump"}).to_string());
        lines.push(json!({"id": length, "op": "hash"}).to_string());
        lines
    }

    pub(crate) fn label(&mut self) -> &'static str {
        self.random.pick(&LABELS)
    }

    fn path(&mut self) -> String {
        self.steps(false)
    }

    fn read_path(&mut self) -> String {
        self.steps(true)
    }

    fn steps(&mut self, reads: bool) -> String {
        let depth = 1 + self.random.below(3);
        let mut steps: Vec<String> = Vec::new();
        for at in 0..depth {
            let is_last = at + 1 == depth;
            steps.push(match self.random.below(60) {
                0 => format!("#{}", self.random.below(5)),
                1 => format!("#name={}", self.text()),
                2 => format!("#={}", self.text()),
                // Behind a leaf it leads elsewhere there, so only what reads goes this way.
                3 if reads && !is_last && at > 0 => "#parent".to_owned(),
                _ => self.label().to_owned(),
            });
        }
        steps.join(".")
    }

    // Seldom through a scalar.
    fn short_path(&mut self) -> String {
        match self.random.chance(85) {
            true => self.label().to_owned(),
            false => self.path(),
        }
    }

    // A path of labels alone.
    fn labels(&mut self) -> String {
        let depth = 1 + self.random.below(3);
        let labels: Vec<_> = (0..depth).map(|_| self.label()).collect();
        labels.join(".")
    }

    fn handle(&mut self) -> String {
        match self.random.chance(80) {
            true => "0".to_owned(),
            false => self.handles[self.random.below(self.handles.len())].clone(),
        }
    }

    fn new_handle(&mut self) -> String {
        self.made += 1;
        format!("h{}", self.made % 5)
    }

    fn request(&mut self) -> Value {
        if self.profile == Profile::Resolvers && self.random.chance(50) {
            return self.about_resolvers();
        }
        if self.profile == Profile::Attributes && self.random.chance(50) {
            return self.about_attributes();
        }
        if self.profile == Profile::Events && self.random.chance(25) {
            return self.about_events();
        }
        match self.random.below(10) {
            0..=3 => self.set(),
            4 | 5 => self.change(),
            6 | 7 => self.read(),
            8 => self.bulk(),
            _ => match self.random.below(5) {
                0 => self.about_attributes(),
                1 if self.may_link => self.about_events(),
                2 => self.mistake(),
                _ => self.read(),
            },
        }
    }

    fn set(&mut self) -> Value {
        let mut request = json!({"op": "set", "path": self.path(), "value": self.value()});
        if self.random.chance(25) {
            request["attrs"] = self.attributes();
            if self.random.chance(40) {
                request["updattr"] = json!(self.random.chance(50));
            }
            if self.random.chance(20) {
                request["rmnull"] = json!(self.random.chance(30));
            }
        }
        if self.random.chance(20) {
            request["pos"] = self.position();
        }
        if self.random.chance(15) {
            request["reason"] = json!(self.text());
        }
        if self.random.chance(6) {
            request["fired"] = json!(true);
        }
        if self.random.chance(6) {
            request["trigger"] = json!(self.random.chance(20));
        }
        if self.random.chance(75) {
            request["overwrite"] = json!(true);
        }
        if self.random.chance(5) {
            request["resolver"] = json!(false);
        }
        match self.random.below(40) {
            0 => request["path"] = json!(format!("{}?{}", self.path(), self.random.pick(&NAMES))),
            1 => {
                request["path"] = json!(format!("{}?x&y", self.path()));
                request["value"] = match self.random.chance(60) {
                    true => json!({"$t": [self.scalar(), self.scalar()]}),
                    false => json!({"$t": [self.scalar()]}),
                };
            }
            _ => {}
        }
        if request["path"]
            .as_str()
            .is_some_and(|path| path.contains('?'))
        {
            // What is fired at an attribute is the value of the node, for whatever reason.
            request["value"] = match &request["value"] {
                tuple if tuple.get("$t").is_some() => tuple.clone(),
                _ => self.scalar(),
            };
        }
        request
    }

    fn change(&mut self) -> Value {
        match self.random.below(12) {
            0 | 1 => {
                json!({"op": "pop", "path": self.labels(), "default": self.text(), "reason": self.text()})
            }
            2 => json!({"op": "del", "path": self.labels()}),
            3 => json!({"op": "popnode", "path": self.labels()}),
            4 => {
                let mut request = json!({"op": "clear", "path": self.short_path()});
                if self.random.chance(20) {
                    request["trigger"] = json!(false);
                }
                if self.random.chance(5) {
                    request["path"] = json!("");
                }
                request
            }
            5 | 6 => {
                // To the end and beyond is where the reference does nothing.
                let what = match self.random.chance(70) {
                    true => json!(self.random.below(4)),
                    false => {
                        let from = self.random.below(3);
                        json!([from, from + 1 + self.random.below(2)])
                    }
                };
                json!({"op": "move", "path": self.place(), "what": what, "to": self.random.below(3)})
            }
            7 => {
                let key = self.random.pick(&[
                    "#k",
                    "#k:d",
                    "#k:A",
                    "#k:D",
                    "#a.x",
                    "#a.name:d",
                    "#v:A",
                    "#a.name:a,#k:d",
                    "#v",
                    "a",
                ]);
                json!({"op": "sort", "path": self.place(), "key": key})
            }
            8 => json!({"op": "setdefault", "path": self.short_path(), "value": self.value()}),
            9 => {
                self.may_escape = false;
                let bag = self.bag(2);
                self.may_escape = true;
                json!({"op": "update", "path": self.place(), "value": bag, "ignore_none": self.random.chance(30)})
            }
            10 => {
                let mut values = Map::new();
                for _ in 0..self.random.below(3) {
                    values.insert(self.label().to_owned(), self.value());
                }
                json!({"op": "updatemap", "path": self.place(), "value": values, "ignore_none": self.random.chance(30)})
            }
            _ => json!({"op": "replace", "path": self.place(), "value": self.bag(1)}),
        }
    }

    // Where a bag may be.
    fn place(&mut self) -> String {
        match self.random.chance(55) {
            true => String::new(),
            false => self.path(),
        }
    }

    fn read(&mut self) -> Value {
        let handle = self.handle();
        let mut request = match self.random.below(24) {
            0 | 1 => json!({"op": "get", "path": self.read_path(), "default": self.scalar_plain()}),
            2 => json!({"op": "get", "path": self.read_path(), "static": self.random.chance(50)}),
            3 => {
                json!({"op": "get", "path": format!("{}?{}", self.labels(), self.random.pick(&["x", "x&y", "", "name"]))})
            }
            4 => json!({"op": "get1", "path": self.read_path(), "default": 3}),
            5 => json!({"op": "has", "path": self.read_path()}),
            6 => json!({"op": "has", "path": format!("{}?x", self.labels())}),
            7 => json!({"op": "node", "path": self.read_path()}),
            8 => json!({"op": "fullpath", "path": self.read_path()}),
            9 => json!({"op": "position", "path": self.read_path()}),
            10 => json!({"op": "keys", "path": self.place()}),
            11 => json!({"op": "len", "path": self.place()}),
            12 => {
                json!({"op": "sum", "path": self.place(), "what": self.random.pick(&["#v", "#a.x", "#a.x,#v", "#k"]), "strict": self.random.chance(30)})
            }
            13 | 14 => {
                let what = self.random.pick(&[
                    "", "#k", "#k,#v", "#p,#v", "#a.x,#k", "#n", "#__v", "#v.a", "#k,#a",
                    "a:#k,#v", "b",
                ]);
                let mut request = json!({"op": "query", "path": self.place(), "what": what, "deep": self.random.chance(50)});
                match self.random.below(4) {
                    0 => request["leaf"] = json!(false),
                    1 => request["branch"] = json!(false),
                    2 => request["limit"] = json!(self.random.below(4) + 1),
                    _ => {}
                }
                request
            }
            15 => {
                json!({"op": "digest", "path": self.place(), "what": self.random.pick(&["#k,#v", "#k", "#a.x,#a.y"]), "cols": self.random.chance(50)})
            }
            16 => json!({"op": "leaves", "path": self.place()}),
            17 => json!({"op": "walk", "path": self.place()}),
            18 => {
                json!({"op": "isempty", "path": self.place(), "zero": self.random.chance(50), "blank": self.random.chance(50)})
            }
            19 => json!({"op": "dump", "path": self.place()}),
            20 => json!({"op": "hash"}),
            21 => json!({"op": "eq", "a": "0", "b": handle}),
            22 => json!({"op": "get", "path": ""}),
            _ => json!({"op": "keys"}),
        };
        if handle != "0" {
            request["bag"] = json!(handle);
        }
        request
    }

    fn bulk(&mut self) -> Value {
        let new = self.new_handle();
        match self.random.below(13) {
            5 => json!({"op": "tytx", "path": self.place(), "compact": self.random.chance(50)}),
            6 => json!({"op": "json", "path": self.place(), "typed": self.random.chance(85)}),
            7 => json!({"op": "xml", "path": self.place(), "pretty": self.random.chance(50)}),
            8 => {
                self.handles.push(new.clone());
                json!({"op": "untytx", "as": new, "text": self.random.pick(&TYTX)})
            }
            9 => {
                self.handles.push(new.clone());
                json!({"op": "unxml", "as": new, "text": self.random.pick(&XML)})
            }
            10 => json!({"op": "dump", "bag": self.handle()}),
            0 => {
                self.handles.push(new.clone());
                json!({"op": "new", "as": new, "value": self.bag(2)["$bag"]})
            }
            1 => {
                self.handles.push(new.clone());
                json!({"op": "copy", "as": new})
            }
            2 => json!({"op": "eq", "a": "0", "b": self.handle()}),
            3 if self.may_link => json!({"op": "backref"}),
            _ => {
                json!({"op": "set", "path": self.labels(), "value": self.bag(2), "overwrite": true})
            }
        }
    }

    fn about_attributes(&mut self) -> Value {
        match self.random.below(14) {
            0..=2 => {
                let mut request =
                    json!({"op": "setattr", "path": self.short_path(), "attrs": self.attributes()});
                if self.random.chance(20) {
                    request["rmnull"] = json!(false);
                }
                request
            }
            3 => {
                json!({"op": "delattr", "path": self.labels(), "names": [self.random.pick(&["x", "y,z", "name", "x, id"])]})
            }
            4 | 5 => json!({"op": "attrs", "path": self.path()}),
            6 => json!({"op": "inherited", "path": self.path()}),
            7 => {
                let mut request =
                    json!({"op": "owner", "path": self.path(), "attr": self.random.pick(&NAMES)});
                if self.random.chance(30) {
                    request["attr"] = json!("name");
                    request["value"] = json!(self.text());
                }
                request
            }
            8 => {
                let value = match self.random.chance(50) {
                    true => Value::Null,
                    false => json!(self.text()),
                };
                json!({"op": "findattr", "path": self.place(), "attr": "name", "value": value, "deep_first": self.random.chance(50)})
            }
            9 => {
                json!({"op": "set", "path": format!("{}?{}", self.path(), self.random.pick(&NAMES)), "value": self.scalar(), "overwrite": true})
            }
            10 => {
                json!({"op": "set", "path": format!("{}?x&y", self.path()), "value": {"$t": [self.scalar(), self.scalar()]}, "overwrite": true})
            }
            11 => {
                json!({"op": "set", "path": self.path(), "value": self.value(), "attrs": self.attributes(), "updattr": self.random.chance(50), "overwrite": true})
            }
            _ => {
                json!({"op": "get", "path": format!("{}?{}", self.labels(), self.random.pick(&["x", "x&y", ""]))})
            }
        }
    }

    fn subscription(&mut self) -> Value {
        let mut request = json!({"id": 2, "op": "sub", "name": self.random.pick(&SUBSCRIBERS)});
        if self.random.chance(50) {
            request["path"] = json!(self.labels());
        }
        if self.random.chance(40) {
            let kinds: Vec<_> = ["upd", "ins", "del"]
                .into_iter()
                .filter(|_| self.random.chance(60))
                .collect();
            request["kinds"] = json!(kinds);
        }
        if self.random.chance(15) {
            request["veto"] = json!(self.random.chance(70));
        }
        request
    }

    fn about_events(&mut self) -> Value {
        match self.random.below(10) {
            0..=3 => self.subscription(),
            4 => {
                json!({"op": "unsub", "name": self.random.pick(&SUBSCRIBERS), "path": self.place()})
            }
            5 => {
                json!({"op": "nsub", "name": self.random.pick(&["n1", "n2"]), "path": self.label()})
            }
            6 => json!({"op": "tsub", "name": self.random.pick(&["t1", "t2"])}),
            7 | 8 if !self.is_open => {
                self.is_open = true;
                json!({"op": "begin"})
            }
            _ => {
                self.is_open = false;
                match self.random.chance(12) {
                    true => json!({"op": "end", "abort": true}),
                    false => json!({"op": "end"}),
                }
            }
        }
    }

    // Few places, so that resolvers are met again.
    fn resolver_path(&mut self) -> String {
        match self.random.chance(60) {
            true => self.random.pick(&["a", "b"]).to_owned(),
            false => self.labels(),
        }
    }

    fn about_resolvers(&mut self) -> Value {
        match self.random.below(24) {
            0..=5 => {
                let mut request = json!({"op": "set", "path": self.resolver_path(), "value": self.resolver(), "overwrite": true});
                if self.random.chance(30) {
                    request["attrs"] = self.attributes();
                }
                if self.random.chance(30) {
                    request["resolver"] = json!(false);
                }
                request
            }
            6..=11 => {
                json!({"op": "get", "path": self.resolver_path(), "static": self.random.chance(15)})
            }
            12 => json!({"op": "get1", "path": self.label(), "static": self.random.chance(50)}),
            13 => json!({"op": "clock", "add": self.random.below(8)}),
            14 => {
                let seconds = [0.5, 5.0, 10.0][self.random.below(3)];
                json!({"op": "clock", "add": seconds})
            }
            15 | 22 | 23 => json!({"op": "resetres", "path": self.resolver_path()}),
            16 | 17 => json!({"op": "calls", "name": self.random.pick(&RESOLVERS)}),
            18 => {
                json!({"op": "set", "path": self.resolver_path(), "value": self.scalar(), "resolver": false, "overwrite": true})
            }
            19 => {
                json!({"op": "setattr", "path": self.resolver_path(), "attrs": {"x": self.random.below(4) + 2}})
            }
            20 => {
                json!({"op": "query", "what": "#k,#v", "deep": self.random.chance(50), "static": self.random.chance(50)})
            }
            _ => {
                json!({"op": "set", "path": self.resolver_path(), "value": self.scalar(), "overwrite": true})
            }
        }
    }

    // Requests that cannot be answered.
    fn mistake(&mut self) -> Value {
        match self.random.below(12) {
            0 => json!({"op": "set", "path": "", "value": 2}),
            1 => json!({"op": "nothing"}),
            2 => json!({"op": "set", "path": "#7", "value": 2}),
            3 => json!({"op": "set", "path": "#7.a", "value": 2}),
            4 => json!({"op": "set", "path": format!("{}?x&y", self.label()), "value": 5}),
            5 => json!({"op": "set", "path": "a", "value": {"$ref": "nobody"}}),
            6 => json!({"op": "set", "path": "a", "value": {"$dt": "never"}}),
            7 => json!({"op": "set", "path": "a", "value": {"$what": 2}}),
            8 => json!({"op": "replace", "value": 5}),
            9 => json!({"op": "get", "path": "a", "bag": "nobody"}),
            10 => json!({"op": "set", "path": "nobody", "value": 5, "pos": "<nobody"}),
            _ => json!({"op": "set", "path": "x", "value": {"$b64": "A"}}),
        }
    }
}
