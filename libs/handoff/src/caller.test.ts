import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { stages } from "@workspace/shared-config";
import { afterEach, expect, it, vi } from "vitest";
import { findCaller, refuseOtherAccount } from "./caller.ts";

const arn = "arn:aws:sts::123456789012:assumed-role/release/session";

/** Something that answers every request of the SDK so. */
async function answer(status: number, text: string): Promise<void> {
  const server = createServer((_request, response) => response.writeHead(status).end(text));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) vi.stubEnv(name, "x");
}
afterEach(() => vi.unstubAllEnvs());

const describeIdentity = (members: string) =>
  `<GetCallerIdentityResponse><GetCallerIdentityResult>${members}</GetCallerIdentityResult></GetCallerIdentityResponse>`;

it("says whose credentials these are", async () => {
  await answer(200, describeIdentity(`<Account>123456789012</Account><Arn>${arn}</Arn>`));
  expect(await findCaller("eu-central-1")).toEqual({ account: "123456789012", arn });
});

it.each([
  ["<Account>123456789012</Account>", { account: "123456789012" }],
  [`<Arn>${arn}</Arn>`, { arn }],
])("an answer of %s only is an error", async (members, value) => {
  await answer(200, describeIdentity(members));
  await expect(findCaller("eu-central-1")).rejects.toMatchObject({ code: "E_CALLER_UNKNOWN", value });
});

it("explains credentials that are refused as every read does", async () => {
  const error = "<Error><Code>InvalidClientTokenId</Code><Message>invalid</Message></Error>";
  await answer(403, `<ErrorResponse>${error}</ErrorResponse>`);
  await expect(findCaller("eu-central-1")).rejects.toMatchObject({
    code: "E_CALLER_READ_CREDENTIALS_INVALID",
  });
});

it("refuses credentials of another account than the stage's, where that is known", async () => {
  await answer(200, describeIdentity(`<Account>123456789012</Account><Arn>${arn}</Arn>`));
  const { account: _, ...stage } = stages.prod;
  await refuseOtherAccount(stage, "eu-central-1");
  await refuseOtherAccount({ ...stage, account: "123456789012" }, "eu-central-1");
  const other = refuseOtherAccount({ ...stage, account: "210987654321" }, "eu-central-1");
  await expect(other).rejects.toMatchObject({ code: "E_ACCOUNT_UNEXPECTED", value: arn });
});

it("takes the local AWS for whatever account the stage has", async () => {
  await answer(200, describeIdentity(`<Account>000000000000</Account><Arn>${arn}</Arn>`));
  await refuseOtherAccount({ ...stages.prod, account: "123456789012" }, "eu-central-1");
});
