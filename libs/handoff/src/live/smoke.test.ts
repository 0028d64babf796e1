import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { parseFunction, stages } from "@workspace/shared-config";
import { expect, it } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { smokeCheck } from "./smoke.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");

interface Answer {
  readonly text: string;
  readonly FunctionError?: string;
}

/** Checks version 7 of a function whose versions answer like this; without a qualifier `$LATEST` does. */
async function checkWith(versions: Readonly<Record<string, Answer>>): Promise<void> {
  const invoker = new LambdaClient({ region: "eu-central-1" });
  invoker.send = async (command: unknown) => {
    if (!(command instanceof InvokeCommand)) throw new Error("something else than an invocation was sent");
    const { text, ...rest } = versions[command.input.Qualifier ?? "$LATEST"] ?? { text: "no such version" };
    const LogResult = Buffer.from("the last line").toString("base64");
    return { ...rest, Payload: Buffer.from(text), LogResult };
  };
  await smokeCheck({ invoker, clock: createManualClock() }, fn, "7", "{}");
}

const good: Answer = { text: '{"statusCode":200}' };
const bad: Answer = { text: '{"statusCode":500}' };
const failed = { code: "E_SMOKE_FAILED" };

it("judges the version that it is asked for, and no other", async () => {
  await checkWith({ $LATEST: bad, 7: good });
  await expect(checkWith({ $LATEST: good, 7: bad })).rejects.toMatchObject(failed);
});

it.each(['{"statusCode":404}', '"done"', "null", "", "no JSON"])("takes %j for an answer", async (text) => {
  await checkWith({ 7: { text } });
});

it("fails where the function does, with what it said and the end of its log", async () => {
  const crashed = { text: '{"errorMessage":"no table"}', FunctionError: "Unhandled" };
  const error = await checkWith({ 7: crashed }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ ...failed, value: crashed.text });
  expect(error).toHaveProperty("cause.message", expect.stringContaining("the last line"));
});
