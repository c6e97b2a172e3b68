// A person at a real Chromium, with an authenticator that the browser itself plays (CDP, WebAuthn): what every script of
// this folder drives pages with.
//
// SP_TOOLS_DIR/browser has the browser and what drives it; `tools/test` puts them there.
import { createRequire } from "node:module";
import { homedir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
/// Where `tools/need` installs what others wrote.
export const tools = process.env.SP_TOOLS_DIR ?? path.join(cache, "sp/tools-1");
const folder = path.join(tools, "browser");

/// A package of that folder, or of the one above it.
export function load(name, from = folder) {
  return import(pathToFileURL(createRequire(path.join(from, "x.js")).resolve(name)));
}

/// LIMIT: how long a page may take on a machine that does other things too, in milliseconds.
const PATIENCE = 60_000;

/// What was checked. `close` prints the line that callers look for, and ends the process.
export class Checks {
  passed = 0;
  failed = 0;

  that(ok, what) {
    ok ? this.passed++ : this.failed++;
    console.log(ok ? "PASS" : "FAIL", what);
  }

  async close(...people) {
    for (const person of people) await person.leave();
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exit(this.failed || this.passed === 0 ? 1 : 0);
  }
}

export class Person {
  /// Starts a browser with an authenticator that keeps passkeys and always says yes.
  static async arrive() {
    const { default: puppeteer } = await load("puppeteer-core");
    const person = new Person();
    person.browser = await puppeteer.launch({
      executablePath: path.join(folder, "chromium"),
      // A sandbox of its own Chromium refuses to root.
      args: ["--disable-gpu", "--no-first-run", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
    });
    person.page = await person.browser.newPage();
    person.page.setDefaultTimeout(PATIENCE);
    person.cdp = await person.page.createCDPSession();
    await person.cdp.send("WebAuthn.enable", { enableUI: false });
    person.authenticator = await person.plugIn("internal");
    /// What the browser complains about, except for answers that we mean to be errors.
    person.problems = [];
    person.page.on("console", (line) => {
      if (line.type() === "error" && !/status of [45]\d\d/.test(line.text())) person.problems.push(line.text());
    });
    person.page.on("pageerror", (error) => person.problems.push(error.message));
    return person;
  }

  /// A new authenticator; its id.
  async plugIn(transport) {
    const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport, hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true };
    return (await this.cdp.send("WebAuthn.addVirtualAuthenticator", { options })).authenticatorId;
  }

  /// Takes one away.
  unplug(authenticatorId) {
    return this.cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
  }

  /// The passkeys on one.
  async passkeys(authenticatorId) {
    return (await this.cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  }

  /// Goes to an address; what was answered in the end.
  goto(url) {
    return this.page.goto(url);
  }

  /// Clicks what leads to another page; what was answered in the end.
  async follow(selector) {
    const [answer] = await Promise.all([this.page.waitForNavigation(), this.page.click(selector)]);
    return answer;
  }

  async type(selector, text) {
    await this.page.type(selector, text);
  }

  /// What stands on the page.
  text() {
    return this.page.evaluate(() => document.body.innerText);
  }

  /// The path of the page.
  at() {
    return new URL(this.page.url()).pathname;
  }

  async has(selector) {
    return (await this.page.$(selector)) !== null;
  }

  /// Follows a link that an administrator gave, and adds a passkey.
  async enrol(link, passkey) {
    await this.goto(link);
    await this.follow("#enrol");
    await this.addPasskey(passkey);
  }

  /// Adds a passkey on the account page.
  async addPasskey(name) {
    await this.page.waitForSelector("#passkey-add:not([hidden])");
    await this.type("#passkey-name", name);
    await this.follow("#passkey-add button");
  }

  /// Logs in on the log-in page.
  async logIn() {
    await this.page.waitForSelector("#passkey-login:not([hidden])");
    return this.follow("#passkey-login");
  }

  async logOut() {
    await this.follow('form[action="/logout"] button');
  }

  leave() {
    return this.browser.close();
  }
}
