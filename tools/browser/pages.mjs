// The pages of people in a real Chromium with a virtual authenticator (CDP): the first administrator's link, adding a
// passkey, logging out and in with it, renaming, a second one, recovery codes, a password, revoking, and that a session
// that was ended is one. Prints what passed; exits 1 when something did not.
//
//   node tools/browser/pages.mjs URL LINK [FOLDER]     URL of the gateway, its first administrator's link, screenshots
//
// CHROMIUM (default /usr/bin/chromium), PUPPETEER (a folder with node_modules/puppeteer-core; default the current one).
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [url, link, folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(process.env.PUPPETEER ?? process.cwd(), "x.js")));
const puppeteer = (await import(pathToFileURL(require.resolve("puppeteer-core")))).default;
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--host-resolver-rules=MAP localhost 127.0.0.1"],
});
let passed = 0, failed = 0;
const check = (ok, what) => { ok ? passed++ : failed++; console.log(ok ? "PASS" : "FAIL", what); };

const page = await browser.newPage();
const problems = [];
page.on("console", (line) => { if (line.type() === "error" && !/status of (403|409|410)/.test(line.text())) problems.push(line.text()); });
page.on("pageerror", (error) => problems.push(error.message));
const cdp = await page.createCDPSession();
await cdp.send("WebAuthn.enable", { enableUI: false });
const device = (transport) => cdp.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport,
  hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
let { authenticatorId } = await device("internal");

async function shoot(name) {
  if (!folder) return;
  for (const [kind, width, height] of [["desktop", 1280, 900], ["phone", 390, 844]]) {
    for (const scheme of ["light", "dark"]) {
      if (scheme === "dark" && kind === "phone") continue;
      await page.setViewport({ width, height, deviceScaleFactor: 1 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.screenshot({ path: path.join(folder, `${name}-${kind}-${scheme}.png`), fullPage: true });
    }
  }
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
}
/// Clicks what leads to another page.
const follow = (selector) => Promise.all([page.waitForNavigation({ timeout: 20000 }), page.click(selector)]);
const text = () => page.evaluate(() => document.body.innerText);
const at = () => new URL(page.url()).pathname;

await page.goto(link);
await shoot("setup");
await page.type("#user", "ada");
await page.type("#name", "Ada Lovelace");
await page.type("#email", "ada@example.com");
await follow("#enrol");
check(at() === "/account" && (await text()).includes("Add a passkey now"), "the first administrator's link logs in");
await shoot("account-new");
await page.type("#passkey-name", "Laptop");
await follow("#passkey-add button");
check((await text()).includes("The passkey was added") && (await text()).includes("Laptop"), "a passkey is added and named");
const stored = (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
check(stored.length === 1 && stored[0].isResidentCredential && stored[0].rpId === "localhost", "it is discoverable and ours");

await page.goto(link);
check((await text()).includes("not good any more"), "the link is used up");
await shoot("link-used");

await page.goto(`${url}/account`);
const session = (await page.cookies()).find((cookie) => cookie.name.endsWith("sp-session"));
check(session.httpOnly && session.sameSite === "Lax", "the cookie is HttpOnly and SameSite=Lax");
await follow('form[action="/logout"] button');
check(at() === "/login", "logging out leads to the log-in page");
await shoot("login");
await page.setCookie(session);
await page.goto(`${url}/account`);
check(at() === "/login", "the old cookie is worth nothing");
await page.waitForSelector("#passkey-login:not([hidden])");
await follow("#passkey-login");
check(at() === "/account" && (await text()).includes("Ada Lovelace"), "logging in with the passkey, nobody typed who");
const fresh = (await page.cookies()).find((cookie) => cookie.name === session.name);
check(fresh.value !== session.value, "the log-in has a cookie of its own");

await page.click("#passkey-add input");
await page.type("#passkey-name", "Again");
await page.click("#passkey-add button");
await page.waitForSelector("#passkey-problem:not([hidden])");
check((await text()).includes("already has a passkey"), "one device has one passkey");
await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
({ authenticatorId } = await device("usb"));
await page.goto(`${url}/account`);
await page.type("#passkey-name", "Security key");
await follow("#passkey-add button");
check((await text()).includes("Security key"), "a second passkey");

await page.click('#new-codes');
await page.waitForSelector(".codes");
const codes = await page.$$eval(".codes code", (all) => all.map((one) => one.textContent));
check(codes.length === 10 && codes.every((code) => /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/.test(code)), "ten recovery codes");
await shoot("codes");
await page.goto(`${url}/account`);
await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
await page.type("#password", "correct horse battery staple");
await follow('form[action="/account/password"] button');
check((await text()).includes("The password was set"), "a password is set");
await shoot("account");

await follow('form[action="/account/passkeys/revoke"] button');
check((await text()).includes("was revoked") && !(await text()).includes("Laptop"), "a passkey is revoked");

await follow('form[action="/logout"] button');
await page.type("#login", "ADA@example.com");
await page.type("#password", "wrong horse battery staple");
await follow("#password-login");
check((await text()).includes("does not fit"), "a wrong password is refused");
await shoot("login-wrong");
await page.type("#login", "nobody");
await page.type("#password", "correct horse battery staple");
await follow("#password-login");
check((await text()).includes("does not fit"), "and so is nobody's, in the same words");
await page.type("#login", "ADA@example.com");
await page.type("#password", "correct horse battery staple");
await follow("#password-login");
check(at() === "/account", "the password logs in");
await follow('form[action="/logout"] button');

await page.setJavaScriptEnabled(false);
await page.goto(`${url}/login/recovery`);
await shoot("recovery");
await page.type("#login", "ada");
await page.type("#code", codes[3].toLowerCase().replaceAll("-", " "));
await follow("button.primary");
check(at() === "/account" && (await text()).includes("the code is used up"), "a recovery code logs in, without JavaScript");
await follow('form[action="/logout"] button');
await page.goto(`${url}/login/recovery`);
await page.type("#login", "ada");
await page.type("#code", codes[3]);
await follow("button.primary");
check((await text()).includes("does not fit"), "and once only");
await page.setJavaScriptEnabled(true);

const frame = await page.goto(`${url}/login`);
const policy = frame.headers()["content-security-policy"];
check(/frame-ancestors 'none'/.test(policy) && !/unsafe/.test(policy), "no page can be framed or scripted");
check(problems.length === 0, `the browser has nothing to complain about: ${problems.join("; ")}`);
console.log(`${passed} passed, ${failed} failed`);
await browser.close();
process.exit(failed ? 1 : 0);
