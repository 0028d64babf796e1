import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryContext } from "../testing/memory-context.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { type Functions, openFunctions } from "./functions.ts";
import type { Configuration, ImageCode, LambdaFunction, Runnable } from "./model.ts";
import { createUpdates, type Updates } from "./updates.ts";

const configuration: Configuration = {
  FunctionName: "app",
  PackageType: "Image",
  Role: "arn:aws:iam::000000000000:role/app",
  Description: "",
  Timeout: 3,
  MemorySize: 128,
  Architectures: ["x86_64"],
  EphemeralStorage: { Size: 512 },
  LoggingConfig: { LogFormat: "Text", LogGroup: "/aws/lambda/app" },
  TracingConfig: { Mode: "PassThrough" },
};
const codeOf = (sha256: string): ImageCode => ({
  kind: "image",
  sha256,
  sizeBytes: 1,
  imageUri: `host/app:${sha256}`,
  repositoryName: "app",
  architecture: "amd64",
  configuration: {},
  layers: [],
});
const buildRunnable = (sha256: string): Runnable => ({
  id: randomUUID(),
  configuration,
  code: codeOf(sha256),
});

/** Code whose unpacking ends when the test says so. */
let pending: { readonly sha256: string; done: () => void; fail: (error: Error) => void }[];
let functions: Functions;
let updates: Updates;
let retired: number;

beforeEach(() => {
  const context = createMemoryContext();
  pending = [];
  retired = 0;
  functions = openFunctions(context);
  const unpack = (code: { readonly sha256: string }) =>
    new Promise<string>((resolve, reject) => {
      pending.push({ sha256: code.sha256, done: () => resolve("/folder"), fail: reject });
    });
  updates = createUpdates(context, functions, { unpack }, () => {
    retired += 1;
  });
});

const read = () => functions.mustFind({ name: "app" });

function create(): void {
  const latest = updates.buildFirst(buildRunnable("one"));
  const fn: LambdaFunction = {
    latest,
    published: [],
    nextVersion: 1,
    aliases: {},
    urls: [],
    policies: {},
    tags: {},
  };
  functions.put(fn);
  updates.finish("app", "$LATEST");
}

async function createActive(): Promise<void> {
  create();
  pending.shift()?.done();
  await waitUntil(async () => (read().latest.state === "Active" ? true : undefined));
}

function changeCode(sha256: string): void {
  updates.refuseWhileBusy(read());
  functions.put(updates.changeLatest(read(), { configuration, code: codeOf(sha256) }));
  updates.finish("app", "$LATEST");
}

const waitUntilDone = () =>
  waitUntil(async () => (read().latest.lastUpdateStatus === "InProgress" ? undefined : read().latest));

describe("a new function", () => {
  it("can't be changed while it is pending", () => {
    create();
    expect(() => changeCode("two")).toThrow(
      "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    );
  });

  it("is failed when its image can't be unpacked", async () => {
    create();
    pending.shift()?.fail(new Error("truncated"));
    const { state, reason } = await waitUntil(async () =>
      read().latest.state === "Pending" ? undefined : read().latest,
    );
    expect({ state, reason }).toEqual({
      state: "Failed",
      reason: { code: "InvalidImage", text: "truncated" },
    });
  });
});

describe("an update", () => {
  it("lets calls have what they had until it is done, and no other update in", async () => {
    await createActive();
    const before = read().latest;
    changeCode("two");
    expect(read().latest).toMatchObject({ lastUpdateStatus: "InProgress", previous: before.runnable });
    expect(() => changeCode("three")).toThrow(
      "An update is in progress for resource: arn:aws:lambda:eu-central-1:000000000000:function:app",
    );
    pending.shift()?.done();
    const after = await waitUntilDone();
    expect(after.previous).toBeUndefined();
    expect(after.runnable.code.sha256).toBe("two");
    expect(after.revisionId).not.toBe(before.revisionId);
    expect(retired).toBe(2);
  });

  it("that fails leaves what ran to the calls, and can be followed by one that succeeds", async () => {
    await createActive();
    changeCode("two");
    pending.shift()?.fail(new Error("gone"));
    expect(await waitUntilDone()).toMatchObject({
      state: "Active",
      lastUpdateStatus: "Failed",
      reason: { text: "gone" },
      previous: { code: { sha256: "one" } },
    });
    changeCode("three");
    expect(read().latest.previous?.code.sha256).toBe("one");
    pending.shift()?.done();
    expect((await waitUntilDone()).runnable.code.sha256).toBe("three");
  });

  it("that a killed server left half done is finished by the next", async () => {
    await createActive();
    functions.put(updates.changeLatest(read(), { configuration, code: codeOf("two") }));
    expect(pending).toEqual([]);
    updates.resume();
    expect(pending.map(({ sha256 }) => sha256)).toEqual(["two"]);
    pending.shift()?.done();
    expect(await waitUntilDone()).toMatchObject({ lastUpdateStatus: "Successful" });
  });

  it("of a function that is deleted meanwhile brings nothing back", async () => {
    await createActive();
    changeCode("two");
    functions.delete("app");
    pending.shift()?.done();
    await new Promise((resolve) => setImmediate(resolve));
    expect(functions.find("app")).toBeUndefined();
  });
});
