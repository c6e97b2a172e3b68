// Every page of ours, at the width of a desktop and of a phone, light and dark: nothing that axe finds a barrier in, nothing
// that has to be scrolled sideways, nothing that the browser complains about; and pictures of them, if asked.
//
//   node tools/browser/tour.mjs URL LINK OTHER [FOLDER]
//
// URL of the gateway, its first administrator's link, an enrolment link of somebody else, where pictures go.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

import { Checks, Person, tools } from "./person.mjs";

const [url, link, other, folder] = process.argv.slice(2);
const axe = await readFile(createRequire(path.join(tools, "browser/x.js")).resolve("axe-core/axe.min.js"), "utf8");
const check = new Checks();
const ada = await Person.arrive();

const LOOKS = [["desktop", 1280, 800, "light"], ["phone", 390, 844, "light"], ["desktop", 1280, 800, "dark"], ["phone", 390, 844, "dark"]];

/// Looks at the page that the browser is on.
async function look(name) {
  const found = [];
  for (const [kind, width, height, scheme] of LOOKS) {
    await ada.page.setViewport({ width, height });
    await ada.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const wide = await ada.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) found.push(`${kind}: ${wide} px too wide`);
    await ada.page.evaluate(axe);
    const { violations } = await ada.page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, nodes } of violations) found.push(`${kind} ${scheme}: ${id} at ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
    if (folder) await ada.page.screenshot({ path: path.join(folder, `${name}-${kind}-${scheme}.png`), fullPage: true });
  }
  check.that(found.length === 0, `${name} ${found.join("; ")}`);
}

async function visit(name, address) {
  const answer = await ada.goto(address.startsWith("/") ? url + address : address);
  await look(name);
  return answer;
}

async function register(client) {
  const metadata = { token_endpoint_auth_method: "none", grant_types: ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"], ...client };
  const answer = await fetch(`${url}/oauth/register`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(metadata) });
  return (await answer.json()).client_id;
}
const site = await register({ client_name: "Release Notes Assistant", redirect_uris: ["https://assistant.example/oauth/callback"] });
const local = await register({ client_name: "A client whose name is rather long because nobody told its makers that people read it", redirect_uris: ["http://127.0.0.1:1/callback"] });
const request = (client_id, more) =>
  `/oauth/authorize?${new URLSearchParams({ client_id, response_type: "code", state: "s", code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256", ...more })}`;

// Before anybody is logged in.
await visit("setup", link);
await ada.type("#user", "a user with spaces");
await ada.follow("#enrol");
await look("setup-wrong");
await ada.page.$eval("#user", (input) => (input.value = ""));
await ada.type("#user", "ada");
await ada.type("#name", "Ada Lovelace");
await ada.type("#email", "ada@example.com");
await ada.follow("#enrol");

await look("account-new");
await ada.addPasskey("Laptop");
await ada.unplug(ada.authenticator);
ada.authenticator = await ada.plugIn("usb");
await ada.page.reload();
await ada.addPasskey("Security key in the drawer at home");
await ada.follow("#new-codes");
await look("codes");

// What applications ask for.
await visit("consent-site", request(site, { redirect_uri: "https://assistant.example/oauth/callback", scope: "openid profile offline_access tools:call" }));
await visit("consent-local", request(local, { redirect_uri: "http://127.0.0.1:9/callback", scope: "openid tools:call gateway:operate audit:read", resource: `${url}/api/v1/mcp/echo/mcp` }));
await ada.follow("#allow").catch(() => {});
await visit("refused-redirect", request(site, { redirect_uri: "https://elsewhere.example/" }));
await visit("refused-client", request("nobody", {}));

// Devices.
const begin = async () =>
  (await fetch(`${url}/oauth/device_authorization`, { method: "POST", body: new URLSearchParams({ client_id: local, scope: "tools:call" }) })).json();
const device = await begin();
await visit("device", "/device");
await ada.type("#user_code", "BBBB-BBBB");
await ada.follow("button.primary");
await look("device-wrong");
await ada.goto(device.verification_uri_complete);
await ada.follow("button.primary");
await look("device-confirm");
await ada.follow("#allow");
await look("device-connected");
await ada.goto((await begin()).verification_uri_complete);
await ada.follow("button.primary");
await ada.follow("#deny");
await look("device-refused");

await ada.goto(`${url}/account`);
await ada.page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
await ada.type("#password", "correct horse battery staple");
await ada.follow('form[action="/account/password"] button');
await look("account");
// What can be done with a passkey stands in one line, at every width.
for (const [kind, width, height] of LOOKS.slice(0, 2)) {
  await ada.page.setViewport({ width, height });
  const slopes = await ada.page.$$eval(".actions", (all) => all.map((one) => {
    const middles = [...one.children].map((part) => part.getBoundingClientRect()).map((box) => (box.top + box.bottom) / 2);
    return Math.max(...middles) - Math.min(...middles);
  }));
  check.that(slopes.length === 2 && slopes.every((px) => px < 3), `${kind}: Rename and Revoke stand side by side: ${slopes} px apart`);
}
await ada.page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
await look("account-open");
await visit("log-in-again", "/login?again=yes");
await ada.goto(`${url}/account`);
await ada.page.$eval('form[action="/logout"] input[name="csrf"]', (input) => (input.value = "x"));
await ada.follow('form[action="/logout"] button');
await look("stale-form");
await visit("log-out", "/oauth/logout");
await ada.goto(`${url}/account`);
await ada.logOut();

// Logging in.
await visit("logged-out", "/oauth/logout");
await visit("log-in", "/login");
await visit("log-in-for-client", request(site, { redirect_uri: "https://assistant.example/oauth/callback" }));
await ada.type("#login", "ada");
await ada.type("#password", "wrong horse battery staple");
await ada.follow("#password-login");
await look("log-in-wrong");
await visit("recovery", "/login/recovery");
await ada.type("#login", "ada");
await ada.type("#code", "0000-0000-0000-0000");
await ada.follow("button.primary");
await look("recovery-wrong");
await visit("provider-away", "/login/with/company");
await visit("provider-unknown", "/login/with/nobody");
await visit("link-dead", link);
await visit("welcome", other);
await visit("not-found", "/nowhere");

await ada.page.setJavaScriptEnabled(false);
await ada.goto(`${url}/login`);
check.that((await ada.text()).includes("Passkeys need"), "the log-in page says what does not work without JavaScript");
if (folder) await ada.page.screenshot({ path: path.join(folder, "log-in-without-javascript.png"), fullPage: true });

check.that(ada.problems.length === 0, `the browser has nothing to complain about: ${ada.problems.join("; ")}`);
await check.close(ada);
