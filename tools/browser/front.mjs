// A front before a gateway, for suites whose own browser only follows redirects: it passes everything on, and when somebody
// without a browser asks for authorization, a person does it in a real one. They log in with their passkey, agree on the page,
// and the suite is sent where the browser was sent in the end; where it was sent nowhere, the suite gets the page.
//
//   node tools/browser/front.mjs PORT GATEWAY LINK
//
// PORT is where it listens, which is the gateway's public address; GATEWAY where that answers; LINK lets the person in. Prints
// `ready` and goes on until it is ended; then says how often the person was asked.
import http from "node:http";

import { Person } from "./person.mjs";

const [port, gateway, link] = process.argv.slice(2);
const target = new URL(gateway);
const AUTHORIZE = "/oauth/authorize";

function pass(request, response) {
  const onward = http.request(target, { path: request.url, method: request.method, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders);
    response.flushHeaders();
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}

let person, asked = 0, busy = Promise.resolve();

/// What comes of an authorization request in the browser: where it leads, or what page it ends on.
async function authorize(url) {
  const { page } = person;
  const redirect = new URL(url).searchParams.get("redirect_uri");
  let location, last;
  // The suite itself calls its client back.
  const stop = (request) => {
    if (redirect && request.isNavigationRequest() && request.url().startsWith(redirect)) {
      location = request.url();
      return request.respond({ status: 200, contentType: "text/html", body: '<link rel="icon" href="data:,">' });
    }
    return request.continue();
  };
  const see = (response) => { if (response.request().isNavigationRequest() && response.frame() === page.mainFrame()) last = response; };
  await person.browser.deleteCookie(...(await person.browser.cookies()));
  await page.setRequestInterception(true);
  page.on("request", stop).on("response", see);
  try {
    await person.goto(url);
    if (!location && person.at() === "/login") await person.logIn();
    if (!location && (await person.has("#allow"))) await person.follow("#allow");
    return { location, status: last.status(), text: location ? "" : await person.text() };
  } finally {
    page.off("request", stop).off("response", see);
    await page.setRequestInterception(false);
  }
}

const server = http.createServer((request, response) => {
  const isOurs = /Chrome\//.test(request.headers["user-agent"] ?? "");
  if (isOurs || request.method !== "GET" || !request.url.startsWith(`${AUTHORIZE}?`)) return pass(request, response);
  asked++;
  // One person, one thing at a time.
  busy = busy.then(() => authorize(`http://localhost:${port}${request.url}`)).then(
    ({ location, status, text }) => response.writeHead(location ? 303 : status, location ? { location } : {}).end(text),
    (error) => response.writeHead(500).end(String(error)),
  );
});
await new Promise((resolve) => server.listen(Number(port), "127.0.0.1", resolve));
person = await Person.arrive();
await person.enrol(link, "Laptop");
console.log("ready");
process.on("SIGTERM", async () => {
  console.log(`asked ${asked} times; ${person.problems.length} complaints of the browser: ${person.problems.join("; ")}`);
  await person.leave();
  process.exit(0);
});
