// What people do on their pages: the first administrator's link, adding a passkey, logging out and in with it, renaming, a
// second one, recovery codes, a password, revoking, and that a session that was ended is one.
//
//   node tools/browser/pages.mjs URL LINK     URL of the gateway, its first administrator's link
import { Checks, Person } from "./person.mjs";

const [url, link] = process.argv.slice(2);
const check = new Checks();
const ada = await Person.arrive();

await ada.goto(link);
await ada.type("#user", "ada");
await ada.type("#name", "Ada Lovelace");
await ada.type("#email", "ada@example.com");
await ada.follow("#enrol");
check.that(ada.at() === "/account" && (await ada.text()).includes("Add a passkey now"), "the first administrator's link logs in");
await ada.addPasskey("Laptop");
check.that((await ada.text()).includes("The passkey was added") && (await ada.text()).includes("Laptop"), "a passkey is added and named");
const stored = await ada.passkeys(ada.authenticator);
check.that(stored.length === 1 && stored[0].isResidentCredential && stored[0].rpId === "localhost", "it is discoverable and ours");
await ada.page.click("#passkeys ~ .rows summary");
const name = await ada.page.$('form[action="/account/passkeys/rename"] input[name="name"]');
await name.click({ count: 3 });
await name.type("Work laptop");
await ada.follow('form[action="/account/passkeys/rename"] button');
check.that((await ada.text()).includes("Work laptop"), "it is called something else");

await ada.goto(link);
check.that((await ada.text()).includes("not good any more"), "the link is used up");

await ada.goto(`${url}/account`);
const session = (await ada.browser.cookies()).find((cookie) => cookie.name.endsWith("sp-session"));
check.that(session.httpOnly && session.sameSite === "Lax", "the cookie is HttpOnly and SameSite=Lax");
await ada.logOut();
check.that(ada.at() === "/login", "logging out leads to the log-in page");
await ada.browser.setCookie(session);
await ada.goto(`${url}/account`);
check.that(ada.at() === "/login", "the old cookie is worth nothing");
await ada.logIn();
check.that(ada.at() === "/account" && (await ada.text()).includes("Ada Lovelace"), "logging in with the passkey, nobody typed who");
const fresh = (await ada.browser.cookies()).find((cookie) => cookie.name === session.name);
check.that(fresh.value !== session.value, "the log-in has a cookie of its own");

await ada.type("#passkey-name", "Again");
await ada.page.click("#passkey-add button");
await ada.page.waitForSelector("#passkey-problem:not([hidden])");
check.that((await ada.text()).includes("already has a passkey"), "one device has one passkey");
await ada.unplug(ada.authenticator);
ada.authenticator = await ada.plugIn("usb");
await ada.goto(`${url}/account`);
await ada.addPasskey("Security key");
check.that((await ada.text()).includes("Security key"), "a second passkey");

await ada.follow("#new-codes");
const codes = await ada.page.$$eval(".codes code", (all) => all.map((one) => one.textContent));
check.that(codes.length === 10 && codes.every((code) => /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/.test(code)), "ten recovery codes");
await ada.goto(`${url}/account`);
await ada.page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
await ada.type("#password", "correct horse battery staple");
await ada.follow('form[action="/account/password"] button');
check.that((await ada.text()).includes("The password was set"), "a password is set");

await ada.follow('form[action="/account/passkeys/revoke"] button');
check.that((await ada.text()).includes("was revoked") && !(await ada.text()).includes("Work laptop"), "a passkey is revoked");
await ada.logOut();

async function byPassword(login, password) {
  await ada.type("#login", login);
  await ada.type("#password", password);
  await ada.follow("#password-login");
}
await byPassword("ADA@example.com", "wrong horse battery staple");
check.that((await ada.text()).includes("does not fit"), "a wrong password is refused");
await byPassword("nobody", "correct horse battery staple");
check.that((await ada.text()).includes("does not fit"), "and so is nobody's, in the same words");
await byPassword("ADA@example.com", "correct horse battery staple");
check.that(ada.at() === "/account", "the password logs in");
await ada.logOut();

async function byCode(code) {
  await ada.goto(`${url}/login/recovery`);
  await ada.type("#login", "ada");
  await ada.type("#code", code);
  await ada.follow("button.primary");
}
await ada.page.setJavaScriptEnabled(false);
await byCode(codes[3].toLowerCase().replaceAll("-", " "));
check.that(ada.at() === "/account" && (await ada.text()).includes("the code is used up"), "a recovery code logs in, without JavaScript");
await ada.logOut();
await byCode(codes[3]);
check.that((await ada.text()).includes("does not fit"), "and once only");
await ada.page.setJavaScriptEnabled(true);

check.that(ada.problems.length === 0, `the browser has nothing to complain about: ${ada.problems.join("; ")}`);
await check.close(ada);
