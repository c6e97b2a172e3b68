//! The words of orders to a model, by what they do in a sentence, in the languages that payloads use.
//!
//! Lives on all shards: two automata, one for words apart and one for letters run together.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// What a term does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    Negation,
    Override,
    Bypass,
    Prior,
    Guard,
    Reveal,
    Hidden,
    Send,
    Data,
    Destination,
    Approve,
    Calls,
    Invoke,
    Tool,
    Foreign,
    Become,
    Unbound,
    Remember,
    Belief,
    Jailbreak,
    Secrecy,
    Poison,
}

impl Class {
    pub(super) const COUNT: usize = Self::Poison as usize + 1;

    /// Whether a negation in front of it turns it around.
    pub(super) fn is_verb(self) -> bool {
        matches!(
            self,
            Self::Override
                | Self::Bypass
                | Self::Reveal
                | Self::Send
                | Self::Approve
                | Self::Invoke
                | Self::Become
                | Self::Remember
        )
    }
}

const TERMS: &[(Class, &[&str])] = &[
    (Class::Negation, &["not", "never", "dont", "don t", "cannot", "can t", "denies", "forbids", "refuse to", "must not"]),
    (
        Class::Override,
        &[
            "ignore",
            "disregard",
            "forget",
            "override",
            "overrule",
            "neglect",
            "discard",
            "stop following",
            "do not follow",
            "dont follow",
            "ignorez",
            "ignorer",
            "oubliez",
            "ignora",
            "ignorar",
            "olvida",
            "ignoriere",
            "vergiss",
            "ignoriert",
            "ignorieren",
            "skip",
        ],
    ),
    (Class::Bypass, &["bypass", "disable", "circumvent", "evade", "turn off", "remove", "contournez", "get around"]),
    (
        Class::Prior,
        &[
            "previous instructions",
            "prior instructions",
            "above instructions",
            "earlier instructions",
            "preceding instructions",
            "all instructions",
            "your instructions",
            "system instructions",
            "original instructions",
            "initial instructions",
            "instructions above",
            "instructions given",
            "previous prompt",
            "previous prompts",
            "prior prompts",
            "system prompt",
            "previous rules",
            "prior rules",
            "your rules",
            "all rules",
            "system rules",
            "previous directives",
            "prior directives",
            "your directives",
            "previous guidelines",
            "prior guidelines",
            "your guidelines",
            "safety guidelines",
            "previous commands",
            "everything above",
            "everything before",
            "all previous text",
            "what you were told",
            "your programming",
            "your training",
            "previous context",
            "prior context",
            "previous messages",
            "other instructions",
            "any instructions",
            "the instructions",
            "instructions precedentes",
            "consignes precedentes",
            "la politique",
            "les regles",
            "instrucciones anteriores",
            "instrucciones previas",
            "vorherigen anweisungen",
            "vorherige anweisungen",
            "alle anweisungen",
            "these instructions and",
        ],
    ),
    (
        Class::Guard,
        &[
            "approval",
            "approvals",
            "approval step",
            "guardrails",
            "the guardrails",
            "safety filters",
            "safety checks",
            "content policy",
            "safety rules",
            "safety policy",
            "security policy",
            "all restrictions",
            "your restrictions",
            "safety measures",
            "content filter",
            "content filters",
        ],
    ),
    (
        Class::Reveal,
        &[
            "reveal",
            "show",
            "print",
            "output",
            "repeat",
            "display",
            "leak",
            "disclose",
            "expose",
            "dump",
            "tell me",
            "give me",
            "append",
            "include",
            "recite",
            "reproduce",
            "share",
            "return",
            "what is",
            "what are",
            "affichez",
            "montrez",
            "revelez",
            "copiez",
            "muestra",
            "revela",
            "zeige",
            "write out",
            "load",
            "chargez",
            "echo",
            "spell out",
            "exfiltrate",
            "summarize",
            "translate",
        ],
    ),
    (
        Class::Hidden,
        &[
            "the system prompt",
            "your system prompt",
            "hidden system prompt",
            "system prompt verbatim",
            "its system prompt",
            "full system prompt",
            "hidden prompt",
            "initial prompt",
            "your prompt",
            "your initial prompt",
            "your instructions",
            "hidden instructions",
            "your hidden instructions",
            "internal instructions",
            "initial instructions",
            "developer message",
            "developer prompt",
            "hidden rules",
            "internal canary",
            "sys canary",
            "secret looking values",
            "secret values",
            "instructions you were given",
            "your guidelines",
            "your configuration",
            "invite systeme",
            "regles privees",
            "prompt systeme",
            "prompt del sistema",
            "systemaufforderung",
            "private rules",
            "confidential instructions",
            "internal policies",
            "chain of thought",
            "text above",
            "words above",
            "everything above",
        ],
    ),
    (
        Class::Send,
        &[
            "send",
            "sends",
            "email",
            "forward",
            "upload",
            "post",
            "exfiltrate",
            "transmit",
            "export",
            "leak",
            "fetch",
            "deliver",
            "copy",
            "submit",
            "envoyez",
            "envoyer les",
            "envoyer",
            "envoie",
            "accedez",
            "envia",
            "sende",
            "retrieve",
            "read",
            "access",
            "pass",
            "encode",
        ],
    ),
    (
        Class::Data,
        &[
            "secrets",
            "the secret",
            "secret",
            "credentials",
            "credential",
            "api key",
            "api keys",
            "password",
            "passwords",
            "customer emails",
            "customer data",
            "customer records",
            "customer email",
            "conversation history",
            "conversation",
            "chat history",
            "environment variables",
            "private key",
            "private keys",
            "access token",
            "access tokens",
            "tokens",
            "ssh key",
            "ssh keys",
            "user data",
            "database",
            "confidential",
            "personal data",
            "internal documents",
            "system prompt",
            "la valeur",
            "les donnees",
            "its contents",
            "file contents",
            "the contents",
            "all emails",
            "all files",
            "env file",
        ],
    ),
    (
        Class::Destination,
        &[
            "attacker",
            "evil",
            "external server",
            "external url",
            "external address",
            "my server",
            "webhook",
            "pastebin",
            "ngrok",
            "requestbin",
            "collaborator",
            "this url",
            "this address",
            "the following url",
            "following address",
            "remote server",
            "third party",
            "outside address",
            "hacker",
            "exfil",
        ],
    ),
    (
        Class::Approve,
        &["approve", "auto approve", "automatically approve", "confirm", "accept", "approuvez", "authorize", "allow"],
    ),
    (
        Class::Calls,
        &[
            "all pending tool calls",
            "pending tool calls",
            "the next tool call",
            "next tool call",
            "all tool calls",
            "every tool call",
            "all tools",
            "les outils",
            "tous les outils",
            "all actions",
            "all requests without",
            "any tool call",
            "tool calls without",
        ],
    ),
    (Class::Invoke, &["call", "invoke", "use", "run", "execute", "utilisez", "utilisez l", "l outil", "trigger", "the tool"]),
    (
        Class::Tool,
        &["read secret", "read secrets", "get secret", "get secrets", "outil read secret", "dump secrets", "export secrets"],
    ),
    (
        Class::Foreign,
        &[
            "tenant b records",
            "tenant b",
            "another tenant",
            "other tenants",
            "another user s",
            "other users data",
            "autre locataire",
            "another customer",
            "other customers",
        ],
    ),
    (
        Class::Become,
        &[
            "you are now",
            "you are",
            "act as",
            "pretend to be",
            "pretend you",
            "behave as",
            "roleplay as",
            "from now on you",
            "switch to",
            "enter",
            "enable",
            "activate",
            "vous etes",
            "respond as",
            "simulate",
            "you re now",
            "now in",
        ],
    ),
    (
        Class::Unbound,
        &[
            "dan",
            "developer mode",
            "debug mode",
            "god mode",
            "admin mode",
            "no restrictions",
            "without restrictions",
            "without any restrictions",
            "unrestricted",
            "no rules",
            "without rules",
            "jailbroken",
            "unfiltered",
            "uncensored",
            "no limits",
            "no filters",
            "administrateur",
            "evil ai",
            "root access",
            "amoral",
            "sudo mode",
            "maintenance mode",
        ],
    ),
    (
        Class::Remember,
        &[
            "remember permanently",
            "permanently remember",
            "remember forever",
            "remember that",
            "remember this",
            "memorize",
            "memorisez",
            "store in memory",
            "save to memory",
            "in all future",
            "for all future",
            "always remember",
            "update your memory",
            "persist",
        ],
    ),
    (
        Class::Belief,
        &[
            "administrator",
            "an admin",
            "is admin",
            "administrateur",
            "trusted",
            "authorized",
            "full access",
            "always approve",
            "pre approved",
            "has permission",
            "superuser",
            "never ask",
            "without asking",
        ],
    ),
    (
        Class::Jailbreak,
        &[
            "do anything now",
            "developer mode enabled",
            "developer mode with no restrictions",
            "jailbreak mode",
            "ignore your safety",
            "ignore all safety",
            "ignore your guidelines",
            "ignore your ethical",
            "you have no restrictions",
            "no ethical guidelines",
            "disregard your programming",
            "hypothetical response without",
        ],
    ),
    (
        Class::Secrecy,
        &[
            "do not tell the user",
            "don t tell the user",
            "dont tell the user",
            "without telling the user",
            "do not inform the user",
            "without informing the user",
            "do not mention this to the user",
            "don t mention this to the user",
            "hide this from the user",
            "not let the user know",
            "without the user knowing",
            "keep this hidden from the user",
            "do not reveal this to the user",
            "never tell the user",
            "do not notify the user",
            "without notifying the user",
            "without user consent",
            "without the user s knowledge",
            "secretly send",
            "silently send",
            "silently forward",
        ],
    ),
    (
        Class::Poison,
        &[
            "before using this tool you must",
            "before using any other tool",
            "this tool must be called before",
            "always call this tool first",
            "when this tool is called also",
            "pass its content as sidenote",
            "pass its contents as",
            "the ai assistant must",
            "instructions for the ai",
            "instructions to the ai",
            "note to ai",
            "ai assistant please ignore",
            "l assistant doit",
            "the assistant must now",
            "hidden instruction for the assistant",
        ],
    ),
];

/// The compiled terms.
#[derive(Debug)]
pub(super) struct Terms {
    words: Option<AhoCorasick>,
    letters: Option<AhoCorasick>,
    classes: Vec<Class>,
    letter_classes: Vec<Class>,
}

/// Shortest term, without spaces, that counts where words run together.
const LETTERS_MIN: usize = 6;

impl Terms {
    pub(super) fn new() -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut letters: Vec<String> = Vec::new();
        let mut classes = Vec::new();
        let mut letter_classes = Vec::new();
        for (class, terms) in TERMS {
            for term in *terms {
                words.push((*term).to_owned());
                classes.push(*class);
                let run: String =
                    term.chars().filter(|letter| *letter != ' ').map(|letter| if letter == 'l' { 'i' } else { letter }).collect();
                let counts = run.len() >= LETTERS_MIN || matches!(*class, Class::Send | Class::Destination if run.len() >= 4);
                if counts && *class != Class::Negation {
                    letters.push(run);
                    letter_classes.push(*class);
                }
            }
        }
        let build = |patterns: &[String]| {
            // The terms are fixed and few: building fails only if they grow by orders of magnitude, and a test would see it.
            AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::DFA)).build(patterns).ok()
        };
        Self { words: build(&words), letters: build(&letters), classes, letter_classes }
    }

    /// Hands out each term in the order of its end. `run_together` reads letters without spaces, `l` folded to `i`.
    pub(super) fn each(&self, text: &[u8], run_together: bool, mut take: impl FnMut(Class, usize, usize)) {
        let (automaton, classes) =
            if run_together { (&self.letters, &self.letter_classes) } else { (&self.words, &self.classes) };
        let Some(automaton) = automaton else { return };
        for found in automaton.find_overlapping_iter(text) {
            let is_word = |at: Option<&u8>| at.is_none_or(|byte| *byte == b' ');
            let bounded = is_word(found.start().checked_sub(1).and_then(|at| text.get(at))) && is_word(text.get(found.end()));
            if (run_together || bounded)
                && let Some(class) = classes.get(found.pattern().as_usize())
            {
                take(*class, found.start(), found.end());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_automata_are_built() {
        let terms = Terms::new();
        assert!(terms.words.is_some() && terms.letters.is_some());
    }
}
