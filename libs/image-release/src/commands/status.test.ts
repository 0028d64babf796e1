import { BatchGetImageCommand } from "@aws-sdk/client-ecr";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { buildHandoffClients, type FunctionVersion, type HandoffState } from "@workspace/handoff";
import { CodedError, exitCodes, parseImageTag } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import type { CommandContext } from "../command-context.ts";
import { sampleFunction as fn, sampleDigest } from "../testing/sample-function.ts";
import { describeStatus, statusCommand } from "./status.ts";

const first = parseImageTag("111111111111");
const second = parseImageTag("222222222222");

function buildVersion(version: string, digest: FunctionVersion["digest"]): FunctionVersion {
  return {
    version,
    digest,
    revisionId: "r",
    state: "Active",
    stateReason: undefined,
    lastUpdateStatus: "Successful",
    lastUpdateStatusReason: undefined,
    settings: { MemorySize: 512 },
  };
}

const agreed: HandoffState = {
  publishedTag: first,
  publishedDigest: sampleDigest("1"),
  templateImage: "initial",
  stackStatus: "UPDATE_COMPLETE",
  live: {
    alias: { name: "live", version: "7", weights: {}, revisionId: "r" },
    version: buildVersion("7", sampleDigest("1")),
    tags: ["content-aa", "000000000000", first],
  },
  latest: buildVersion("$LATEST", sampleDigest("1")),
  images: [
    { digest: sampleDigest("1"), tags: [first], artifactType: undefined },
    {
      digest: sampleDigest("2"),
      tags: [second],
      artifactType: undefined,
    },
  ],
  leaseHolder: undefined,
};
const published = { kind: "published", tag: first, digest: sampleDigest("1") } as const;

describe("describeStatus", () => {
  it("is done where all agree, whatever the template has", () => {
    const { lines, exitCode } = describeStatus(fn, agreed, published);
    expect(exitCode).toBe(exitCodes.done);
    expect(lines).toEqual([
      "lambda-app-dev (lambda-app on dev)",
      `  published  111111111111  ${sampleDigest("1")}`,
      "  template   initial  UPDATE_COMPLETE",
      `  live       111111111111  ${sampleDigest("1")}  version 7`,
      "  a deploy   would keep 111111111111",
      "  lease      free",
    ]);
  });

  it("names both ways out of a drift", () => {
    const state = { ...agreed, publishedTag: second, publishedDigest: sampleDigest("2") };
    const resolution = { kind: "published", tag: second, digest: sampleDigest("2") } as const;
    const { lines, exitCode } = describeStatus(fn, state, resolution);
    expect(exitCode).toBe(exitCodes.drift);
    expect(lines.join("\n")).toContain("drift: 222222222222 is published, but 000000000000 is live");
    expect(lines.slice(-2)).toEqual([
      "  → `nx run lambda-app:rollback --stage dev --to 222222222222` makes live what is published",
      "  → `nx run lambda-app:rollback --stage dev --to 000000000000` publishes what is live",
    ]);
  });

  it("says what would stop a deploy, with its own way out", () => {
    const vanished = new CodedError({ code: "E_TAG_VANISHED", what: "gone", remedy: "Publish it again." });
    const { lines, exitCode, value } = describeStatus(fn, { ...agreed, publishedTag: undefined }, vanished);
    expect(exitCode).toBe(exitCodes.drift);
    expect(lines).toContain("drift: a deploy would stop: E_TAG_VANISHED: gone. Publish it again.");
    expect(lines.filter((line) => line.includes("→"))).toEqual([]);
    expect(value).toMatchObject({ deploy: { kind: "stopped", code: "E_TAG_VANISHED" } });
  });

  it("shows the parts of the traffic that a canary has, and who holds the lease", () => {
    const holder = {
      command: "release 222222222222",
      user: "ada",
      host: "ci",
      since: "2026-01-01T00:00:00Z",
    };
    const state = {
      ...agreed,
      live: agreed.live && { ...agreed.live, alias: { ...agreed.live.alias, weights: { "8": 0.1 } } },
      leaseHolder: { ...holder, nonce: "n", pid: 1, instance: "", ttlMs: 1 },
    };
    const text = describeStatus(fn, state, published).lines.join("\n");
    expect(text).toContain("version 7, 10% to version 8");
    expect(text).toContain("lease      release 222222222222 by ada@ci since 2026-01-01T00:00:00Z");
  });
});

describe("status", () => {
  const named = (name: string, message = "") => Object.assign(new Error(message), { name });

  /** Of a stage that has a tag, and nothing else. @param readImage ECR's answer about the tag's image */
  async function runStatus(readImage: () => Promise<object>): Promise<CommandResult | undefined> {
    const clients = buildHandoffClients({ region: fn.stage.region });
    clients.ssm.send = async (command: object) => {
      if (command instanceof GetParameterCommand && command.input.Name === fn.imageTagParameter)
        return { Parameter: { Value: first, Version: 1 } };
      throw named("ParameterNotFound");
    };
    clients.ecr.send = async (command: object) =>
      command instanceof BatchGetImageCommand ? readImage() : { imageDetails: [] };
    clients.lambda.send = () => Promise.reject(named("ResourceNotFoundException"));
    clients.cloudformation.send = () => Promise.reject(named("ValidationError", "it does not exist"));

    const program = new Command();
    let result: CommandResult | undefined;
    statusCommand(program, async (_options, work) => {
      result = await work({ clients, fn } as CommandContext);
    });
    await program.parseAsync(["status", "--function", fn.project], { from: "user" });
    return result;
  }

  it("calls it drift where the published image is missing", async () => {
    const result = await runStatus(async () => ({ failures: [{ failureCode: "ImageNotFound" }] }));
    expect(result).toMatchObject({
      exitCode: exitCodes.drift,
      value: { deploy: { kind: "stopped", code: "E_PUBLISHED_IMAGE_MISSING" } },
    });
  });

  it.each([
    ["AccessDeniedException", "E_PUBLISHED_IMAGE_READ_DENIED"],
    ["TimeoutError", "E_PUBLISHED_IMAGE_READ_UNREACHABLE"],
  ])("fails, and calls it no drift, where it could not look: %s", async (name, code) => {
    const failed = runStatus(() => Promise.reject(named(name)));
    await expect(failed).rejects.toMatchObject({ code, exitCode: exitCodes.failed });
  });
});
