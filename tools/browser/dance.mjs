// A whole OAuth dance with a client that others wrote (the MCP SDK) and a person in a real browser: the client is refused,
// finds the authorization server, registers, and sends its person there; they log in with a passkey, say no, say yes, and the
// client calls a tool with what it got. Then without being asked again, by device code, from inside a frame, and not any more.
//
//   node tools/browser/dance.mjs URL LINK     URL of the gateway, an enrolment link of somebody who may call `echo` there
import http from "node:http";

import { Checks, Person, load, tools } from "./person.mjs";

const [url, link] = process.argv.slice(2);
const { Client } = await load("@modelcontextprotocol/sdk/client/index.js", tools);
const { StreamableHTTPClientTransport } = await load("@modelcontextprotocol/sdk/client/streamableHttp.js", tools);
const endpoint = new URL(`${url}/api/v1/mcp/echo/mcp`);
const check = new Checks();

// Where the client is answered, and a page of somebody else that frames what it is told to.
const answers = [];
const listener = http.createServer((request, response) => {
  const asked = new URL(request.url, "http://127.0.0.1");
  response.setHeader("content-type", "text/html");
  if (asked.pathname === "/callback") answers.push(asked.searchParams);
  response.end(asked.pathname === "/frame" ? `<iframe src="${asked.searchParams.get("of").replaceAll("&", "&amp;")}"></iframe>` : "<h1>Go back to the client</h1>");
});
await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
const here = `http://127.0.0.1:${listener.address().port}`;

/// What the SDK's client keeps: itself, its tokens, and the address that it sent its person to.
class Kept {
  redirectUrl = `${here}/callback`;
  clientMetadata = { client_name: "Dance", redirect_uris: [this.redirectUrl], token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"], response_types: ["code"] };
  state = () => (this.sent = crypto.randomUUID());
  clientInformation = () => this.client;
  saveClientInformation = (client) => { this.client = client; };
  tokens = () => this.given;
  saveTokens = (given) => { this.given = given; };
  redirectToAuthorization = (asked) => { this.asked = String(asked); };
  saveCodeVerifier = (verifier) => { this.verifier = verifier; };
  codeVerifier = () => this.verifier;
  invalidateCredentials = (what) => { if (what === "tokens" || what === "all") this.given = undefined; };
}
const kept = new Kept();

/// Calls the tool; what it says, or the error's name.
async function call() {
  const client = new Client({ name: "dance", version: "1" });
  const transport = new StreamableHTTPClientTransport(endpoint, { authProvider: kept });
  try {
    await client.connect(transport);
    const result = await client.callTool({ name: "echo", arguments: { message: "hello" } });
    return JSON.stringify(result.content);
  } catch (error) {
    return error.constructor.name;
  } finally {
    await client.close();
  }
}
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

const ann = await Person.arrive();
await ann.enrol(link, "Laptop");
check.that((await ann.text()).includes("The passkey was added"), "a link of one's own lets in, and a passkey is added");
await ann.logOut();

check.that((await call()) === "UnauthorizedError" && kept.asked?.startsWith(`${url}/oauth/authorize?`), "the client is refused, registers, and asks its person");
await ann.goto(kept.asked);
check.that(ann.at() === "/login", "who is not logged in logs in first");
await ann.logIn();
const page = await ann.text();
check.that(ann.at() === "/oauth/authorize" && page.includes("Dance"), "then the request goes on, and says who asks");
check.that(page.includes("127.0.0.1") && page.includes("your own computer"), "where the answer goes, and that nothing proves who it is");
check.that(page.includes("tools:call") && page.includes(endpoint.href), "what for, and where");

await ann.follow("#deny");
const no = answers.pop();
check.that(no?.get("error") === "access_denied" && !no.has("code"), "no is no");
check.that(no?.get("state") === kept.sent && no.get("iss") === url, "and carries state and issuer");

await ann.page.setJavaScriptEnabled(false);
await ann.goto(kept.asked);
await ann.follow("#allow");
await ann.page.setJavaScriptEnabled(true);
const yes = answers.pop();
check.that(yes?.has("code") && yes.get("state") === kept.sent && yes.get("iss") === url, "yes is a code with state and issuer, without JavaScript");
await new StreamableHTTPClientTransport(endpoint, { authProvider: kept }).finishAuth(yes.get("code"));
const { sub, aud } = claims(kept.given.access_token);
check.that(sub === "ann" && aud === endpoint.href, "the code becomes a token of this person for this server");
check.that((await call()).includes("hello"), "with which the tool is called");

await ann.goto(kept.asked);
check.that(answers.pop()?.has("code"), "who agreed once is not asked again");

await ann.goto(`${here}/frame?of=${encodeURIComponent(`${kept.asked}&prompt=consent`)}`);
const framed = await Promise.all(ann.page.frames().slice(1).map((frame) => frame.evaluate(() => document.body.innerText).catch(() => "")));
check.that(framed.length === 1 && !/Allow|Log in/.test(framed[0]), "no page of ours shows in a frame (RFC 9700 section 4.16)");

const form = async (path, fields) =>
  (await fetch(`${url}${path}`, { method: "POST", body: new URLSearchParams({ client_id: kept.client.client_id, ...fields }) })).json();
const device = await form("/oauth/device_authorization", { scope: "tools:call" });
await ann.goto(device.verification_uri_complete);
check.that((await ann.page.$eval("#user_code", (input) => input.value)) === device.user_code, "a device's code stands in its link");
await ann.follow("button.primary");
check.that((await ann.text()).includes("Is this your device?") && (await ann.text()).includes("Dance"), "the person sees what it is");
await ann.follow("#allow");
check.that((await ann.text()).includes("Connected"), "and connects it");
const given = await form("/oauth/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: device.device_code });
check.that(given.access_token && claims(given.access_token).sub === "ann", "which gives the device a token");

await ann.goto(`${url}/account`);
check.that((await ann.text()).includes("Dance"), "the account page knows the application");
await ann.follow('form[action="/account/applications/revoke"] button');
check.that((await call()) === "UnauthorizedError", "what is disconnected there calls nothing any more");

check.that(ann.problems.every((line) => line.includes("frame")), `the browser has nothing to complain about: ${ann.problems.join("; ")}`);
listener.close();
await check.close(ann);
