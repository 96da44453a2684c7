//! The stanzas: which arguments each takes, and what it sets in the job (Upstart: init/parse_job.c).

use crate::source::Located;
use crate::syntax::erb::FILLER;
use crate::syntax::upstart::events::{self, Events};
use crate::syntax::upstart::job::{Command, Console, Expect, Job, Limit, Phase};
use crate::syntax::upstart::lexer::{Lexer, Reason, Refused};
use crate::syntax::upstart::names::RESOURCES;
use crate::syntax::upstart::{Dialect, Stanza, signal};

type Done = Result<(), Refused>;

/// Reads one stanza into `stanza` and `job`; on a refusal both keep what was read before it.
pub(super) fn read(lexer: &mut Lexer, stanza: &mut Stanza, job: &mut Job, dialect: Dialect) -> Done {
    stanza.name = lexer.raw_word()?;
    let mut reader = Reader { lexer, stanza, job };
    let name = reader.stanza.name.value.clone();
    match name.as_str() {
        "description" => reader.job.description = Some(reader.only_argument()?),
        "author" => reader.job.author = Some(reader.only_argument()?),
        "version" => reader.job.version = Some(reader.only_argument()?),
        "usage" => reader.job.usage = Some(reader.only_argument()?),
        "chdir" => reader.job.chdir = Some(reader.only_argument()?),
        "chroot" => reader.job.chroot = Some(reader.only_argument()?),
        "setuid" => reader.job.setuid = Some(reader.only_argument()?),
        "setgid" => reader.job.setgid = Some(reader.only_argument()?),
        "instance" => reader.job.instance = Some(reader.only_argument()?),
        "env" => {
            let assignment = reader.argument()?;
            reader.job.env.push(assignment);
            reader.end()?;
        }
        "export" => {
            let names = reader.arguments()?;
            reader.job.export.extend(names);
        }
        "emits" => {
            let names = reader.arguments()?;
            reader.job.emits.extend(names);
        }
        "start" => reader.job.start_on = Some(reader.condition()?),
        "stop" => reader.job.stop_on = Some(reader.condition()?),
        // What follows on the line is read as the next stanza, as Upstart does.
        "manual" => reader.job.start_on = None,
        "debug" => {}
        "exec" => reader.exec(Phase::Main)?,
        "script" => reader.script(Phase::Main)?,
        "pre-start" | "post-start" | "pre-stop" | "post-stop" => reader.process(phase_of(&name))?,
        "expect" => {
            reader.job.expect = reader.choice(&[
                ("none", Expect::None),
                ("stop", Expect::Stop),
                ("daemon", Expect::Daemon),
                ("fork", Expect::Fork),
            ])?
        }
        "console" => {
            reader.job.console = reader.choice(&[
                ("none", Console::None),
                ("output", Console::Output),
                ("owner", Console::Owner),
                ("log", Console::Log),
            ])?
        }
        "task" => {
            reader.end()?;
            reader.job.task = Some(reader.stanza.name.span);
        }
        "respawn" => reader.respawn()?,
        "normal" => reader.normal_exit()?,
        "kill" => reader.kill()?,
        "reload" => {
            reader.keyword(&["signal"])?;
            reader.job.reload_signal = reader.signal()?;
        }
        "umask" => reader.umask()?,
        "nice" => reader.job.nice = reader.only_number(Reason::IllegalNice, |value| (-20..=19).contains(&value))?,
        "oom" => reader.oom()?,
        "limit" => reader.limit()?,
        "apparmor" => reader.apparmor()?,
        "cgroup" => reader.cgroup()?,
        "import" | "tmpfiles" if dialect == Dialect::ChromeOs => {
            reader.arguments()?;
        }
        _ if name.split_once(FILLER).is_some_and(|(start, _)| super::may_begin_stanza(start)) => reader.of_a_tag(),
        _ => return Err(reader.unknown(&reader.stanza.name.clone())),
    }
    Ok(())
}

/// Which process a stanza sets.
pub(super) fn phase(stanza: &Stanza) -> Phase {
    phase_of(&stanza.name.value)
}

fn phase_of(name: &str) -> Phase {
    match name {
        "pre-start" => Phase::PreStart,
        "post-start" => Phase::PostStart,
        "pre-stop" => Phase::PreStop,
        "post-stop" => Phase::PostStop,
        _ => Phase::Main,
    }
}

/// Whether a template tag prints a part of the word: then it can stand where a number or a keyword must.
fn is_open(word: &Located<String>) -> bool {
    word.value.contains(FILLER)
}

/// A number as strtol(3) takes it, where it takes the whole word.
fn number(value: &str) -> Option<i64> {
    value.trim_start_matches(|blank: char| blank.is_ascii_whitespace()).parse().ok()
}

struct Reader<'r, 't> {
    lexer: &'r mut Lexer<'t>,
    stanza: &'r mut Stanza,
    job: &'r mut Job,
}

impl Reader<'_, '_> {
    fn argument(&mut self) -> Result<Located<String>, Refused> {
        let word = self.lexer.argument()?;
        self.stanza.words.push(word.clone());
        Ok(word)
    }

    fn only_argument(&mut self) -> Result<Located<String>, Refused> {
        let word = self.argument()?;
        self.end()?;
        Ok(word)
    }

    fn arguments(&mut self) -> Result<Vec<Located<String>>, Refused> {
        let mut all = vec![self.argument()?];
        while self.lexer.has_token() {
            all.push(self.argument()?);
        }
        self.end()?;
        Ok(all)
    }

    fn end(&mut self) -> Done {
        self.lexer.end_statement()
    }

    /// Whether the statement is used up and a tag among its words may have printed the words that seem to lack.
    fn tag_may_hold_rest(&self) -> bool {
        !self.lexer.has_token() && self.stanza.words.iter().any(is_open)
    }

    fn unknown(&self, word: &Located<String>) -> Refused {
        let noticed = word.span.start as usize;
        Refused { reason: Reason::UnknownStanza, span: word.span, noticed }
    }

    /// The second word of a stanza, one of `allowed`.
    fn keyword(&mut self, allowed: &[&str]) -> Result<Located<String>, Refused> {
        let word = self.argument()?;
        if allowed.contains(&word.value.as_str()) || is_open(&word) { Ok(word) } else { Err(self.unknown(&word)) }
    }

    fn choice<T: Copy>(&mut self, choices: &[(&str, T)]) -> Result<Option<Located<T>>, Refused> {
        let word = self.argument()?;
        let chosen = choices.iter().find(|(name, _)| *name == word.value);
        if chosen.is_none() && !is_open(&word) {
            return Err(self.unknown(&word));
        }
        self.end()?;
        Ok(chosen.map(|(_, choice)| Located::new(*choice, word.span)))
    }

    /// A number that `accepts` takes; `None` where a template tag prints it.
    fn number(&mut self, reason: Reason, accepts: fn(i64) -> bool) -> Result<Option<Located<i64>>, Refused> {
        if self.tag_may_hold_rest() {
            return Ok(None);
        }
        let word = self.argument()?;
        if is_open(&word) {
            return Ok(None);
        }
        match number(&word.value).filter(|value| accepts(*value)) {
            Some(value) => Ok(Some(Located::new(value, word.span))),
            None => Err(self.lexer.refuse(reason, word.span)),
        }
    }

    fn only_number(&mut self, reason: Reason, accepts: fn(i64) -> bool) -> Result<Option<Located<i64>>, Refused> {
        let number = self.number(reason, accepts)?;
        self.end()?;
        Ok(number)
    }

    fn condition(&mut self) -> Result<Located<Events>, Refused> {
        self.keyword(&["on"])?;
        let events = events::read(self.lexer)?;
        let as_written = events.span.of(self.lexer.text).to_owned();
        self.stanza.words.push(Located::new(as_written, events.span));
        self.end()?;
        Ok(events)
    }

    fn exec(&mut self, phase: Phase) -> Done {
        if !self.lexer.has_token() {
            return Err(self.lexer.refuse_here(Reason::ExpectedToken));
        }
        let command = self.lexer.command()?;
        self.stanza.words.push(command.clone());
        self.job.run(phase, Command::Exec(command), self.stanza.name.span);
        Ok(())
    }

    fn script(&mut self, phase: Phase) -> Done {
        let script = self.lexer.script()?;
        self.job.run(phase, Command::Script(script), self.stanza.name.span);
        Ok(())
    }

    fn process(&mut self, phase: Phase) -> Done {
        let word = self.lexer.raw_word()?;
        self.stanza.words.push(word.clone());
        match word.value.as_str() {
            "exec" => self.exec(phase),
            "script" => self.script(phase),
            _ if is_open(&word) => {
                self.lexer.next_line();
                Ok(())
            }
            _ => Err(self.unknown(&word)),
        }
    }

    /// A stanza whose name a template tag prints: it may be one that opens a script, such as `pre-start`.
    fn of_a_tag(&mut self) {
        let before = *self.lexer;
        let opens = self.lexer.raw_word().is_ok_and(|word| word.value == "script");
        if !opens || self.lexer.script().is_err() {
            *self.lexer = before;
            self.lexer.next_line();
        }
    }

    fn respawn(&mut self) -> Done {
        if !self.lexer.has_token() {
            self.end()?;
            self.job.respawn = Some(self.stanza.name.span);
            return Ok(());
        }
        self.keyword(&["limit"])?;
        if self.tag_may_hold_rest() {
            return self.end();
        }
        let before = *self.lexer;
        let first = self.argument()?;
        if first.value == "unlimited" {
            self.end()?;
            self.job.respawn_limit = Some(Located::new((0, 0), first.span));
            return Ok(());
        }
        *self.lexer = before;
        self.stanza.words.pop();
        let count = self.number(Reason::IllegalLimit, |value| value >= 0)?;
        let interval = self.number(Reason::IllegalInterval, |value| value >= 0)?;
        self.end()?;
        if let (Some(count), Some(interval)) = (count, interval) {
            let span = count.span.to(interval.span);
            self.job.respawn_limit = Some(Located::new((count.value, interval.value), span));
        }
        Ok(())
    }

    fn normal_exit(&mut self) -> Done {
        self.keyword(&["exit"])?;
        loop {
            let word = self.argument()?;
            let status = signal::number(&word.value)
                .map(|number| number << 8)
                .or_else(|| number(&word.value).filter(|value| (0..=i64::from(i32::MAX)).contains(value)));
            match status {
                Some(status) => self.job.normal_exit.push(Located::new(status, word.span)),
                None if is_open(&word) => {}
                None => return Err(self.lexer.refuse(Reason::IllegalExitStatus, word.span)),
            }
            if !self.lexer.has_token() {
                return self.end();
            }
        }
    }

    fn kill(&mut self) -> Done {
        if self.keyword(&["timeout", "signal"])?.value == "timeout" {
            self.job.kill_timeout = self.only_number(Reason::IllegalInterval, |value| value >= 0)?;
        } else {
            self.job.kill_signal = self.signal()?;
        }
        Ok(())
    }

    fn signal(&mut self) -> Result<Option<Located<i64>>, Refused> {
        if self.tag_may_hold_rest() {
            self.end()?;
            return Ok(None);
        }
        let word = self.argument()?;
        let number = signal::number(&word.value)
            .or_else(|| number(&word.value).filter(|value| (0..=i64::from(i32::MAX)).contains(value)));
        if number.is_none() && !is_open(&word) {
            return Err(self.lexer.refuse(Reason::IllegalSignal, word.span));
        }
        self.end()?;
        Ok(number.map(|number| Located::new(number, word.span)))
    }

    fn umask(&mut self) -> Done {
        let word = self.argument()?;
        let mask = u32::from_str_radix(&word.value, 8).ok().filter(|mask| *mask <= 0o777);
        if mask.is_none() && !is_open(&word) {
            return Err(self.lexer.refuse(Reason::IllegalUmask, word.span));
        }
        self.end()?;
        self.job.umask = mask.map(|mask| Located::new(mask, word.span));
        Ok(())
    }

    fn oom(&mut self) -> Done {
        let mut word = self.argument()?;
        let scored = word.value == "score";
        if scored {
            word = self.argument()?;
        }
        let score = match (word.value.as_str(), number(&word.value)) {
            ("never", _) => Some(-1000),
            (_, Some(score)) if scored => Some(score).filter(|score| (-1000..=1000).contains(score)),
            // The kernel's older scale of −17 to 15, as it converts it.
            (_, Some(15)) => Some(1000),
            (_, Some(adjustment)) => Some(adjustment).filter(|old| (-17..=14).contains(old)).map(|old| old * 1000 / 17),
            (_, None) => None,
        };
        if score.is_none() && !is_open(&word) {
            let reason = if scored { Reason::IllegalOomScore } else { Reason::IllegalOom };
            return Err(self.lexer.refuse(reason, word.span));
        }
        self.end()?;
        self.job.oom = score.map(|score| Located::new(score, word.span));
        Ok(())
    }

    fn limit(&mut self) -> Done {
        let resource = self.keyword(&RESOURCES)?;
        let (soft, hard) = (self.limit_value()?, self.limit_value()?);
        self.end()?;
        if let (Some(soft), Some(hard)) = (soft, hard) {
            let limit = Located::new(Limit { soft: soft.value, hard: hard.value }, soft.span.to(hard.span));
            self.job.limits.insert(resource.value, limit);
        }
        Ok(())
    }

    fn limit_value(&mut self) -> Result<Option<Located<i64>>, Refused> {
        if self.tag_may_hold_rest() {
            return Ok(None);
        }
        let word = self.argument()?;
        match number(&word.value) {
            _ if word.value == "unlimited" => Ok(Some(Located::new(-1, word.span))),
            Some(value) => Ok(Some(Located::new(value, word.span))),
            None if is_open(&word) => Ok(None),
            None => Err(self.lexer.refuse(Reason::IllegalLimit, word.span)),
        }
    }

    fn apparmor(&mut self) -> Done {
        let action = self.keyword(&["load", "switch"])?;
        let profile = self.only_argument()?;
        if action.value == "load" {
            let command = format!("/sbin/apparmor_parser -r -W {}", profile.value);
            let command = Command::Exec(Located::new(command, profile.span));
            self.job.run(Phase::Security, command, self.stanza.name.span);
        }
        Ok(())
    }

    /// `cgroup CONTROLLER [NAME] [KEY VALUE]`.
    fn cgroup(&mut self) -> Done {
        self.argument()?;
        for _ in 0..3 {
            if self.lexer.has_token() {
                self.argument()?;
            }
        }
        self.end()
    }
}
