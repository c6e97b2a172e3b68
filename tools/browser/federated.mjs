// Logging in at an identity provider: the person goes there and comes back; what comes back counts once, in the browser that
// began, and from the provider that was asked.
//
//   node tools/browser/federated.mjs URL PROVIDER USER     URL of the gateway, the provider's name there, who logs in
import { Checks, Person } from "./person.mjs";

const [url, provider, user] = process.argv.slice(2);
const check = new Checks();
const callback = `${url}/login/callback/${provider}`;

/// Goes to the provider from the log-in page, and through its pages; where it sent the browser with a code.
async function through(person) {
  let answer;
  const see = (request) => { if (request.url().startsWith(callback)) answer = request.url(); };
  person.page.on("request", see);
  await person.goto(`${url}/login`);
  await person.follow(`a[href^="/login/with/${provider}"]`);
  for (let pages = 0; pages < 4 && !person.page.url().startsWith(url); pages++) {
    if (await person.has('input[name="login"]')) {
      await person.type('input[name="login"]', user);
      await person.type('input[name="password"]', "any");
    }
    await person.follow('button[type="submit"]');
  }
  person.page.off("request", see);
  return answer;
}

const ann = await Person.arrive();
const used = await through(ann);
check.that(ann.at() === "/account" && (await ann.text()).includes(user), "the provider's log-in is a log-in here");
check.that((await ann.text()).includes(`Identity provider`), "and the account page shows it");
const again = await ann.goto(used);
check.that(again.status() === 403, "what came back is good once (RFC 9700 section 4.5)");

// What comes back reaches the gateway by another browser first.
const other = await Person.arrive();
await ann.page.setRequestInterception(true);
let caught;
ann.page.on("request", (request) => {
  if (!request.url().startsWith(callback)) return request.continue();
  caught = request.url();
  return request.abort();
});
await ann.goto(`${url}/login/with/${provider}`).catch(() => {});
for (let pages = 0; pages < 4 && !caught && !ann.page.url().startsWith("chrome-error"); pages++) await ann.follow('button[type="submit"]').catch(() => {});
const stolen = await other.goto(caught);
check.that(stolen.status() === 403 && other.at() !== "/account", "in another browser it logs nobody in (RFC 9700 section 4.7)");

// Mix-up (RFC 9207): the answer says that it is another's.
caught = undefined;
await ann.goto(`${url}/login/with/${provider}`).catch(() => {});
for (let pages = 0; pages < 4 && !caught && !ann.page.url().startsWith("chrome-error"); pages++) await ann.follow('button[type="submit"]').catch(() => {});
ann.page.removeAllListeners("request");
await ann.page.setRequestInterception(false);
const mixed = new URL(caught);
mixed.searchParams.set("iss", "https://elsewhere.example");
check.that((await ann.goto(mixed.href)).status() === 502, "an answer of another issuer is none (RFC 9207 section 2.4)");
await check.close(ann, other);
