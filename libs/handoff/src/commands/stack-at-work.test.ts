import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { exitCodes, parseFunction, parseImageTag, stages } from "@workspace/shared-config";
import { expect, it } from "vitest";
import { buildHandoffClients, type HandoffClients } from "../clients.ts";
import { buildAwsError } from "../testing/intercept.ts";
import { createParameterStore } from "../testing/parameter-store.ts";
import { createSteppedClock } from "../testing/stepped-clock.ts";
import { deployInfra } from "./deploy.ts";
import { promoteImage } from "./promote.ts";
import { prune } from "./prune.ts";
import { releaseImage } from "./release.ts";
import { rollbackTo } from "./rollback.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");
const tag = parseImageTag("0a1b2c3d4e5f");
const unexpected = async () => expect.unreachable();

/** An account with nothing in it but stacks, on which CloudFormation is at work for ever. */
function openAccount(...atWork: readonly string[]) {
  const clock = createSteppedClock();
  const clients: HandoffClients = { ...buildHandoffClients({ region: stages.dev.region }), clock };
  const busyStacks = new Set(atWork);
  clients.ssm.send = createParameterStore();
  clients.ecr.send = () => Promise.reject(buildAwsError("ImageNotFoundException"));
  clients.lambda.send = () => Promise.reject(buildAwsError("ResourceNotFoundException"));
  clients.cloudformation.send = async (command: object) => {
    if (!(command instanceof DescribeStacksCommand)) throw buildAwsError("unexpected");
    const isBusy = busyStacks.has(command.input.StackName ?? "");
    return { Stacks: [{ StackStatus: isBusy ? "UPDATE_IN_PROGRESS" : "UPDATE_COMPLETE" }] };
  };
  return { clock, clients, busyStacks };
}

/** What a command fails with, if it waits for no longer than an hour. */
async function fail({ clock }: ReturnType<typeof openAccount>, command: Promise<unknown>) {
  const error = command.then(unexpected, (caught: unknown) => caught);
  await clock.advance(3_600_000);
  return error;
}

const busy = { code: "E_STACK_BUSY", value: "UPDATE_IN_PROGRESS" };

it.each<[string, string, (clients: HandoffClients) => Promise<unknown>]>([
  ["release", fn.stackName, (to) => releaseImage(to, fn, { tag, contentTag: "content-1", push: unexpected })],
  ["rollback", fn.stackName, (to) => rollbackTo(to, fn, { findSmokeEvent: unexpected })],
  [
    "promote",
    fn.stackName,
    (to) =>
      promoteImage(
        { clients: to, fn: parseFunction("lambda-app", stages.prod, "x86_64") },
        { clients: to, fn },
        { checkSource: unexpected, copyImage: unexpected },
      ),
  ],
  ["prune", fn.stackName, (to) => prune(to, fn, {})],
  ["deploy", fn.stackName, (to) => deployInfra(to, fn, { deployStacks: unexpected })],
  ["deploy", fn.repositoryStackName, (to) => deployInfra(to, fn, { deployStacks: unexpected })],
])("%s does nothing while CloudFormation is at work on %s", async (_command, stackName, run) => {
  const account = openAccount(stackName);
  expect(await fail(account, run(account.clients))).toMatchObject(busy);
});

it("deploy makes nothing live before CloudFormation has ended what it began", async () => {
  const account = openAccount();
  const deployStacks = async () => void account.busyStacks.add(fn.stackName);
  expect(await fail(account, deployInfra(account.clients, fn, { deployStacks }))).toMatchObject(busy);
});

it("deploy puts nothing back before CloudFormation has ended its rollback", async () => {
  const account = openAccount();
  const deployStacks = async () => {
    account.busyStacks.add(fn.stackName);
    throw new Error("the update failed");
  };
  const error = await fail(account, deployInfra(account.clients, fn, { deployStacks }));
  expect(error).toMatchObject({ exitCode: exitCodes.rolledBack, cause: { errors: [{}, busy] } });
});
