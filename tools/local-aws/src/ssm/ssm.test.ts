import {
  DeleteParameterCommand,
  DeleteParametersCommand,
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  PutParameterCommand,
  type PutParameterCommandInput,
  paginateDescribeParameters,
  paginateGetParameterHistory,
  SSMClient,
} from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let ssm: SSMClient;
beforeAll(async () => {
  server = await startTestServer();
  ssm = new SSMClient(server.clientConfig);
});
afterAll(() => server?.stop());

const put = (Name: string, Value: string, more: Partial<PutParameterCommandInput> = {}) =>
  ssm.send(new PutParameterCommand({ Name, Value, Type: "String", ...more }));
const get = async (Name: string) => (await ssm.send(new GetParameterCommand({ Name }))).Parameter;

describe("PutParameter", () => {
  it("creates once, and only one of several at once", async () => {
    const attempts = await Promise.allSettled(["a", "b", "c", "d"].map((value) => put("/atomic", value)));
    const refused = attempts.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(3);
    for (const attempt of refused) {
      expect(attempt).toMatchObject({ reason: { name: "ParameterAlreadyExists" } });
    }
  });

  it("counts versions, and begins again after a delete", async () => {
    expect(await put("/counted", "one")).toMatchObject({ Version: 1, Tier: "Standard" });
    expect(await put("/counted", "two", { Overwrite: true })).toMatchObject({ Version: 2 });
    expect(await get("/counted")).toMatchObject({ Value: "two", Version: 2, Type: "String" });
    expect(await get("/counted:1")).toMatchObject({ Value: "one", Version: 1, Selector: ":1" });
    await expect(get("/counted:3")).rejects.toMatchObject({ name: "ParameterVersionNotFound" });
    await ssm.send(new DeleteParameterCommand({ Name: "/counted" }));
    await expect(get("/counted")).rejects.toMatchObject({ name: "ParameterNotFound" });
    expect(await put("/counted", "new")).toMatchObject({ Version: 1 });
  });

  it.each<[string, Partial<PutParameterCommandInput>, string]>([
    ["an empty value", { Value: "" }, "ValidationException"],
    ["a value over 4 KiB", { Value: "x".repeat(4097) }, "ValidationException"],
    ["a name with a space", { Name: "/a b" }, "ValidationException"],
    ["a path without a slash before it", { Name: "a/b" }, "ValidationException"],
    ["a path of AWS's own", { Name: "/aws-report/dev/lease" }, "AccessDeniedException"],
    ["one in other letters", { Name: "/AWSreport" }, "AccessDeniedException"],
    ["a path of the Systems Manager's own", { Name: "/ssm-sync/dev" }, "ValidationException"],
    ["a name of theirs without a path", { Name: "SSM-sync" }, "ValidationException"],
    ["no type at the first time", { Type: undefined }, "ValidationException"],
    ["what is not covered", { Policies: "[]" }, "LocalAwsUnsupported"],
    ["a secret", { Type: "SecureString" }, "UnsupportedParameterType"],
    ["a value against its pattern", { AllowedPattern: "^\\d+$" }, "ParameterPatternMismatchException"],
  ])("refuses %s", async (_what, input, name) => {
    await expect(put("/refused", "x", input)).rejects.toMatchObject({ name });
    await expect(get(input.Name ?? "/refused")).rejects.toMatchObject({ name: "ParameterNotFound" });
  });

  it("takes a reserved word where no name begins with it", async () => {
    expect(await put("/report/aws/ssm", "x")).toMatchObject({ Version: 1 });
  });
});

describe("reading", () => {
  it("lists what GetParameters does not find", async () => {
    await put("/there", "x");
    const { Parameters, InvalidParameters } = await ssm.send(
      new GetParametersCommand({ Names: ["/there", "/not-there"] }),
    );
    expect(Parameters).toMatchObject([{ Name: "/there", Value: "x" }]);
    expect(InvalidParameters).toEqual(["/not-there"]);
  });

  it("takes a path without its siblings, and below only where asked", async () => {
    for (const name of ["/app/a", "/app/deep/b", "/apple/c"]) await put(name, "x");
    const names = async (Recursive: boolean) => {
      const { Parameters = [] } = await ssm.send(new GetParametersByPathCommand({ Path: "/app", Recursive }));
      return Parameters.map(({ Name }) => Name);
    };
    expect(await names(false)).toEqual(["/app/a"]);
    expect(await names(true)).toEqual(["/app/a", "/app/deep/b"]);
  });

  it("keeps the last hundred values and gives them by pages", async () => {
    await put("/long", "1");
    for (let version = 2; version <= 103; version += 1) await put("/long", `${version}`, { Overwrite: true });
    const values: (string | undefined)[] = [];
    for await (const page of paginateGetParameterHistory({ client: ssm, pageSize: 40 }, { Name: "/long" })) {
      values.push(...(page.Parameters ?? []).map(({ Value }) => Value));
    }
    expect(values).toEqual(Array.from({ length: 100 }, (_, index) => `${index + 4}`));
    const { Parameters } = await ssm.send(new GetParameterHistoryCommand({ Name: "/long", MaxResults: 1 }));
    expect(Parameters?.[0]).toMatchObject({ LastModifiedUser: "tester", LastModifiedDate: expect.any(Date) });
  });

  it("describes without values", async () => {
    await put("/described", "secret", { Description: "what it is", Tags: [{ Key: "a", Value: "b" }] });
    const ParameterFilters = [{ Key: "Name", Option: "BeginsWith", Values: ["/descr"] }];
    const described: object[] = [];
    for await (const page of paginateDescribeParameters({ client: ssm }, { ParameterFilters })) {
      described.push(...(page.Parameters ?? []));
    }
    expect(described).toMatchObject([{ Name: "/described", Description: "what it is", Version: 1 }]);
    expect(JSON.stringify(described)).not.toContain("secret");
  });
});

it("deletes many, and says which there were not", async () => {
  await put("/gone", "x");
  expect(await ssm.send(new DeleteParametersCommand({ Names: ["/gone", "/never"] }))).toMatchObject({
    DeletedParameters: ["/gone"],
    InvalidParameters: ["/never"],
  });
});

it("keeps parameters when the server starts again", async () => {
  await put("/kept", "1");
  await put("/kept", "2", { Overwrite: true });
  await server.restart();
  expect(await get("/kept")).toMatchObject({ Value: "2", Version: 2 });
});
