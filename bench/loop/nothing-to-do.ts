import { type Bench, run } from "./bench.ts";
import { median, race } from "./timing.ts";

/** What it costs when there is nothing to do: release, deploy, CI and tests. In seconds. */
export async function runNothingToDo(bench: Bench) {
  await run(bench, "nx", "run", "infra:deploy");
  await run(bench, "nx", "run", "lambda-app:release");
  // The first deploy after a release takes the placeholder out of the template.
  await run(bench, "nx", "run", "infra:deploy");
  await run(bench, "nx", "run", "shared-config:test");
  const seconds = await race(bench.rounds, {
    noopRelease: async () => void (await run(bench, "nx", "run", "lambda-app:release")),
    noopDeploy: async () => void (await run(bench, "nx", "run", "infra:deploy")),
    nothingAffected: async () =>
      void (await run(
        bench,
        "nx",
        "affected",
        "-t",
        "lint",
        "typecheck",
        "test",
        "--base=HEAD",
        "--head=HEAD",
      )),
    cachedTest: async () => void (await run(bench, "nx", "run", "shared-config:test")),
  });
  return {
    noopRelease: median(seconds.noopRelease ?? []),
    noopDeploy: median(seconds.noopDeploy ?? []),
    nothingAffected: median(seconds.nothingAffected ?? []),
    cachedTest: median(seconds.cachedTest ?? []),
  };
}
