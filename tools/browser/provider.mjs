// An OpenID provider that others wrote (npm oidc-provider) with log-in pages of its own, which take any password.
//
//   node tools/browser/provider.mjs PORT REDIRECT-URI GROUPS
//
// GROUPS is a file `{"ann": ["engineering"]}` that is read at every log-in. The client is `sp`, its secret `a secret`. Prints
// `ready` and goes on until it is ended.
import { readFile } from "node:fs/promises";

import { load } from "./person.mjs";

const [port, redirect, groups] = process.argv.slice(2);
const { default: Provider } = await load("oidc-provider");
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "sp", client_secret: "a secret", redirect_uris: [redirect], application_type: "native", grant_types: ["authorization_code"] }],
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: `subject-of-${id}`, name: id, preferred_username: id, email: `${id}@example.com`, email_verified: true,
      groups: JSON.parse(await readFile(groups, "utf8"))[id] ?? [] }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
