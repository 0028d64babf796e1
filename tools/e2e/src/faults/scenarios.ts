/** A command that the matrix disturbs, and the state that it starts from. */
export interface Scenario {
  readonly name: string;
  /** The state: the name of a chain below. */
  readonly from: string;
  /** The commit of the scratch workspace that the command finds checked out. */
  readonly at: CommitName;
  readonly argv: readonly string[];
  readonly stage: "local" | "dev" | "prod";
}

export type CommitName = "first" | "second" | "third" | "memory";

/** How a state is reached: from which one, and by which commands. */
export interface Preparation {
  readonly name: string;
  readonly from: string | undefined;
  readonly at: CommitName;
  readonly commands: readonly (readonly string[])[];
}

const release = ["image-release", "release", "--function", "lambda-app"];
const rollback = ["image-release", "rollback", "--function", "lambda-app"];
const deploy = ["infra", "deploy", "--function", "lambda-app"];
const on = (stage: string, argv: readonly string[]) => [...argv, "--stage", stage];

export const preparations: readonly Preparation[] = [
  { name: "bootstrapped", from: undefined, at: "first", commands: [["infra", "bootstrap"]] },
  { name: "deployed", from: "bootstrapped", at: "first", commands: [deploy] },
  { name: "released", from: "deployed", at: "first", commands: [release] },
  { name: "releasedTwice", from: "released", at: "second", commands: [release] },
  { name: "releasedThrice", from: "releasedTwice", at: "third", commands: [release] },
  {
    name: "twoStages",
    from: "bootstrapped",
    at: "first",
    commands: [on("dev", deploy), on("prod", deploy), on("dev", release)],
  },
];

export const scenarios: readonly Scenario[] = [
  { name: "first release", from: "deployed", at: "first", argv: release, stage: "local" },
  { name: "second release", from: "released", at: "second", argv: release, stage: "local" },
  {
    name: "release with canary",
    from: "released",
    at: "second",
    argv: [...release, "--canary", "50%", "--bake", "1s"],
    stage: "local",
  },
  { name: "rollback", from: "releasedTwice", at: "second", argv: rollback, stage: "local" },
  { name: "first deploy", from: "bootstrapped", at: "first", argv: deploy, stage: "local" },
  { name: "deploy after release", from: "released", at: "first", argv: deploy, stage: "local" },
  {
    name: "deploy with a configuration change",
    from: "released",
    at: "memory",
    argv: deploy,
    stage: "local",
  },
  {
    name: "promote",
    from: "twoStages",
    at: "first",
    argv: ["image-release", "promote", "--function", "lambda-app", "--from", "dev", "--to", "prod"],
    stage: "prod",
  },
  {
    name: "prune",
    from: "releasedThrice",
    at: "third",
    argv: ["image-release", "prune", "--function", "lambda-app", "--keep", "1"],
    stage: "local",
  },
];
