import { initialTag } from "@workspace/shared-config";
import type { LiveFacts, World } from "./world.ts";

/** How a story is told: what a user does is done for real, and shown or only kept. */
export interface Teller {
  /** Opens a step. */
  step(title: string): void;
  /** Runs a command as a user types it; rejects where its exit code isn't 0. Gives its standard output. */
  command(...argv: string[]): Promise<string>;
  /** Edits a file of the scratch workspace and commits. Gives the commit. */
  edit(path: string, from: string, to: string, message: string): string;
  /** GETs a path of the function's URL. */
  get(path: string): Promise<{ status: number; body: string }>;
  /** A fact that the step ends with. Throws where it does not hold. */
  holds(fact: string, got: unknown, ok: boolean): void;
}

/** The main job, from an account without anything to a second release and back. */
export async function tellStory(world: World, teller: Teller): Promise<void> {
  const { fn } = world;
  const release = ["npx", "nx", "run", `${fn.project}:release`];
  const rollback = ["npx", "nx", "run", `${fn.project}:rollback`];
  const deploy = ["npx", "nx", "run", "infra:deploy"];

  teller.step("Infra comes first: there is no app yet, so it deploys the initial image");
  await teller.command(...deploy);
  const initial = await world.readLive();
  teller.holds(
    `no tag is published, ${initialTag} is live`,
    initial,
    (await world.readPublishedTag()) === undefined,
  );

  teller.step("The placeholder says what to do");
  const placeholder = await teller.get("/");
  teller.holds("it answers 503", placeholder, placeholder.status === 503);

  teller.step("The app is released");
  const firstCommit = world.scratch.commit("chore: a commit to release");
  await teller.command(...release);
  const first = await world.readLive();
  await holdsPublished(world, teller, firstCommit);
  teller.holds("another image is live", first, first.digest !== initial.digest);
  const firstAnswer = await teller.get("/");
  teller.holds("the function answers from that build", firstAnswer, firstAnswer.status === 200);

  teller.step("Nothing changed, so a second release moves nothing");
  await teller.command(...release);
  const again = await world.readLive();
  teller.holds("the same version is live", again, again.version === first.version);

  teller.step("Infra changes the memory, and never moves the code");
  teller.edit("apps/infra/src/function-settings.ts", "memoryMiB: 512", "memoryMiB: 768", "feat: more memory");
  await teller.command(...deploy);
  const reconfigured = await world.readLive();
  teller.holds("the new memory is live", reconfigured, reconfigured.memoryMiB === 768);
  holdsImage(teller, reconfigured, first);
  await holdsPublished(world, teller, firstCommit);

  teller.step("An edited handler is released");
  const edit = ["apps/lambda-app/src/handler.ts", "Hello", "Hello again"] as const;
  const secondCommit = teller.edit(...edit, "feat: a warmer greeting");
  await teller.command(...release);
  const second = await world.readLive();
  await holdsPublished(world, teller, secondCommit);
  teller.holds("another image is live", second, second.digest !== first.digest);
  teller.holds("with the new memory", second, second.memoryMiB === 768);
  const secondAnswer = await teller.get("/");
  teller.holds(
    "the function answers from the new build",
    secondAnswer,
    secondAnswer.body !== firstAnswer.body,
  );

  teller.step("A rollback moves code and tag, and the next infra deploy keeps it");
  await teller.command(...rollback);
  holdsImage(teller, await world.readLive(), first);
  await holdsPublished(world, teller, firstCommit);
  await teller.command(...deploy);
  holdsImage(teller, await world.readLive(), first);
  const lastAnswer = await teller.get("/");
  teller.holds("the function answers from the first build", lastAnswer, lastAnswer.body === firstAnswer.body);
}

async function holdsPublished(world: World, teller: Teller, commit: string): Promise<void> {
  const tag = await world.readPublishedTag();
  teller.holds(
    `the published tag is that of commit ${commit.slice(0, 12)}`,
    tag,
    tag === commit.slice(0, 12),
  );
}

function holdsImage(teller: Teller, now: LiveFacts, before: LiveFacts): void {
  teller.holds(
    `the image ${before.digest.slice(0, 12)} of the first release is live`,
    now,
    now.digest === before.digest,
  );
}
