//! Whole-scanner tests as tables.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

#[test]
fn every_builtin_shape_compiles() {
    let bad: Vec<String> =
        rules::all().filter_map(|rule| compile::check_shape(rule.id, rule.shape).err()).map(|e| e.to_string()).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn what_fuzzing_found_stays_found() {
    let scanner = SecretScanner::compile(&SecretsConfig::default()).unwrap();
    let mut scratch = ScanScratch::new(&scanner);
    let subject = Subject { side: Side::Arguments, tool: "", key: &[7; 32] };
    // A key's body that ends with the first half of an escape.
    let body = "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\\";
    let verdict = scanner.scan_text(&mut scratch, subject, body);
    assert!(matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
}

/// Tells of one text after another whether the builtin rules find nothing in it.
fn clean() -> impl FnMut(&str) -> bool {
    let scanner = SecretScanner::compile(&SecretsConfig::default()).unwrap();
    let mut scratch = ScanScratch::new(&scanner);
    move |text| {
        let subject = Subject { side: Side::Arguments, tool: "", key: &[7; 32] };
        matches!(scanner.scan_text(&mut scratch, subject, text), Verdict::Clean)
    }
}

#[test]
fn what_code_and_documents_hold_is_no_secret() {
    let blob = "kJ2dWnQx8Zr4TbLm".repeat(40);
    let beside = format!("{blob}AKIAIOSFODNN7ABCDEFG+bMGVYNASACIApCCn4iCjcDICAKIACtQv8BgyILQn+{blob}");
    let texts = [
        "t.pass(\"tests/pass/*.rs\"); should_pass(\"WinDLL('./_sqlite3.dll')\")",
        "MovedAttribute(\"HTTPPasswordMgr\", \"urllib2\", \"urllib.request\"),",
        "Win32_System_PasswordManagement = [\"Win32_System\"]",
        "username = ask()\npassword = getpass.getpass('Password: ')",
        "CHALLENGE_PASSWORD = ObjectIdentifier(\"1.2.840.113549.1.9.7\")",
        "#define TLS1_TXT_PSK_WITH_AES_128_CBC_SHA \"PSK-AES128-CBC-SHA\"",
        "password = password.encode('latin1')",
        "PassThrough: SCSI_PASS_THROUGH32,",
        "ReturnTypeToken: D3D10_SB_RESOURCE_RETURN_TYPE,",
        "- `SecretTlsVecU8`, `SecretTlsVecU16`, `SecretTlsVecU32`",
        "X25519PrivateKey = rust_openssl.hpke.X25519PrivateKey",
        "proxy_pass=url.password or None,",
        "\"AWS::IAM::AccessKey\": \"72c2d9dd90025459\",",
        "return rsa.generate_private_key(public_exponent=65537, key_size=2048)",
        "key = from_hex(\"000102030405060708090a0b0c0d0e0f\")",
        ".header(\"sec-websocket-key\", \"6D69KGBOr4Re+Nj6zx9aQA==\")",
        "def open(self, mode='r', *args, pwd=None, **kwargs):\n    stream = self.open(mode, pwd=pwd)",
        "PWD=`pwd`",
        "if (defined(&Cwd::getcwd)) { $pwd=Cwd::getcwd(); }",
        "self.openid_connect_auth = AuthorizationCodeGrant(validator)",
        "exports.featureSet_RepeatedFieldEncodingFromJSON = featureSet_RepeatedFieldEncodingFromJSON;",
        "\"mldsa_pointwise_acc_avx2_asm.S\",\n    \"crypto/fips/ml_dsa/mldsa/native/x86_64/src/mldsa_pointwise_acc_avx2\"",
        "('text/javascript+smarty', 'text/javascript+smarty')),\n 'JavascriptUL4Lexer': ('lexers',",
        "def test_badandgoodnamereplaceexceptions(self):",
        "f'machine {host} login {self.username} password {self.password}'",
        "# METHOD can be \"trust\", \"md5\", \"password\", \"scram-sha-256\",",
        "https://:password@[::1]:8080/",
        &beside,
    ];
    let mut is_clean = clean();
    let flagged: Vec<_> = texts.iter().filter(|text| !is_clean(text)).collect();
    assert!(flagged.is_empty(), "{flagged:#?}");
}

#[test]
fn what_a_service_and_a_word_announce_is_a_secret() {
    let texts = [
        "bannerbear SECRET bb1234567890abcdefghijtt",
        "cloudplanSECRET-ABCD1234EFGH5678IJKL9012MNOP3456",
        "infuraKEYwithspecial-abcdef1234567890abcdef1234567890",
        "visualcrossing\nKEY\nABCDEFGHIJKLMNOPQRSTUVWXY\n",
        "deepgram secret 1234567890abcdef1234567890abcdef12345678",
        "coda_api.token-987e6543-a210-47d6-a456-654321098765",
        "ipapi_access_token=12345678901234567890123456789012",
        "CREATE USER 'app'@'%' IDENTIFIED BY 'lotus31whisper';",
        "DriverManager.getConnection(\"jdbc:mysql://db/x\", \"app\", \"saffron76pebble\")",
        "ldapsearch -x -D 'cn=admin,dc=x' -w 'Granite-Nebula-916' '(uid=j)'",
        "curl -H 'Api-Token: 22cb987851bc5659229114c62e60c79abd0d2c08' https://x.example/y",
        "otpauth://totp/Acme:zoe?secret=5AMTBEGLOSV4LQH4FEQYBYFYQXOOPB2W&issuer=Acme",
        "SENTRY_DSN=https://0123456789abcdef0123456789abcdef@o1.sentry.io/12345",
        "amqp://app:xK9!mN2$@broker.internal:5672/production",
    ];
    let harmless = [
        "wandb access to the python311-image and to docs-2024-05",
        "heroku_app_id = 01234567-89ab-cdef-0123-456789abcdef",
        "the box key is under the mat, number 4711",
        "infura::Key::new(PATH_12)",
        "echo \"X=1\" >> $GITHUB_PATH\necho \"CARGO_TARGET_WASM32_RUNNER=wasmtime run\"",
    ];
    let mut is_clean = clean();
    let missed: Vec<_> = texts.iter().filter(|text| is_clean(text)).collect();
    let flagged: Vec<_> = harmless.iter().filter(|text| !is_clean(text)).collect();
    assert!(missed.is_empty() && flagged.is_empty(), "missed {missed:#?}, flagged {flagged:#?}");
}

/// Texts made to be slow: words that are looked at twice, encodings in encodings, marks that open and never close.
fn hostile() -> Vec<(&'static str, String)> {
    use base64::Engine as _;
    let full = |unit: &str| unit.repeat(HOSTILE_BYTES / unit.len());
    let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let nested = (0..5).fold("token=a ".repeat(HOSTILE_BYTES / 64), |text, _| base64(text));
    vec![
        ("names", full("password=")),
        ("names in prose", full("the key is a token for the secret ")),
        ("prefixes", full("ghp_")),
        ("prefixes of all kinds", full("sk_live_xoxb-AKIAglpat-npm_ghp_SG.")),
        ("addresses", full("http://a:b")),
        ("headers of keys", full("-----BEGIN PRIVATE KEY-----")),
        ("percent of percent", full("%2525")),
        ("entities", full("&#38;#38;")),
        ("back-slashes", full("\\")),
        ("quotes", full("\"+\"")),
        ("lines", full("a\n")),
        ("one token", full("aB3")),
        ("base64 of base64", nested),
        ("invisible letters", full("p\u{200b}")),
        ("providers", full("heroku token ")),
    ]
}

const HOSTILE_BYTES: usize = 1 << 20;

#[test]
fn no_text_is_much_slower_than_another() {
    let scanner = SecretScanner::compile(&SecretsConfig::default()).unwrap();
    let mut scratch = ScanScratch::new(&scanner);
    let subject = Subject { side: Side::Arguments, tool: "", key: &[7; 32] };
    let mut time = |text: &str| {
        let started = std::time::Instant::now();
        let _ = scanner.scan_text(&mut scratch, subject, text);
        started.elapsed().as_secs_f64()
    };
    let prose = "Nobody has looked at the third chapter yet; it still describes the old way of ordering spare parts.\n";
    let prose = prose.repeat(HOSTILE_BYTES / prose.len());
    // The best of some, each right behind the prose it is compared with: what else the machine does counts for nothing.
    let mut times_prose = |text: &str| {
        let once = |_| time(&prose).recip() * time(text);
        (0..4).map(once).fold(f64::INFINITY, f64::min)
    };
    let took: Vec<_> = hostile().into_iter().map(|(name, text)| (name, times_prose(&text))).collect();
    println!("{took:.1?} times what prose takes");
    // Without optimisation the loops of the one are slower by another factor than those of the other.
    let bound = if cfg!(debug_assertions) { 20.0 } else { 10.0 };
    let slow: Vec<_> = took.iter().filter(|(_, times)| *times > bound).collect();
    assert!(slow.is_empty(), "{slow:?} times what prose takes");
}
