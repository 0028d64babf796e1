import type { Role } from "../record/role-grants.ts";

/** A command that the matrix disturbs, and the state that it starts from. */
export interface Scenario extends Role {
  readonly name: string;
  /** The state: the name of a chain below. */
  readonly from: string;
  /** The commit of the scratch workspace that the command finds checked out. */
  readonly at: CommitName;
  readonly argv: readonly string[];
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
const promote = ["image-release", "promote", "--function", "lambda-app"];
const deploy = ["infra", "deploy", "--function", "lambda-app"];

export const preparations: readonly Preparation[] = [
  { name: "bootstrapped", from: undefined, at: "first", commands: [["infra", "bootstrap"]] },
  { name: "deployed", from: "bootstrapped", at: "first", commands: [deploy] },
  { name: "released", from: "deployed", at: "first", commands: [release] },
  { name: "releasedTwice", from: "released", at: "second", commands: [release] },
  { name: "releasedThrice", from: "releasedTwice", at: "third", commands: [release] },
  { name: "twoStages", from: "released", at: "first", commands: [[...deploy, "--stage", "prod"]] },
];

export const scenarios: readonly Scenario[] = [
  { name: "first release", from: "deployed", at: "first", argv: release, stage: "dev", purpose: "release" },
  { name: "second release", from: "released", at: "second", argv: release, stage: "dev", purpose: "release" },
  {
    name: "release with canary",
    from: "released",
    at: "second",
    argv: [...release, "--canary", "50%", "--bake", "1s"],
    stage: "dev",
    purpose: "release",
  },
  { name: "rollback", from: "releasedTwice", at: "second", argv: rollback, stage: "dev", purpose: "release" },
  { name: "first deploy", from: "bootstrapped", at: "first", argv: deploy, stage: "dev", purpose: "deploy" },
  {
    name: "deploy after release",
    from: "released",
    at: "first",
    argv: deploy,
    stage: "dev",
    purpose: "deploy",
  },
  {
    name: "deploy with a configuration change",
    from: "released",
    at: "memory",
    argv: deploy,
    stage: "dev",
    purpose: "deploy",
  },
  {
    name: "promote",
    from: "twoStages",
    at: "first",
    argv: [
      ...promote,
      "--from",
      "dev",
      "--from-profile",
      "source-dev",
      "--to",
      "prod",
      "--to-profile",
      "release-prod",
    ],
    stage: "prod",
    purpose: "release",
  },
  {
    name: "prune",
    from: "releasedThrice",
    at: "third",
    argv: ["image-release", "prune", "--function", "lambda-app", "--keep", "1"],
    stage: "dev",
    purpose: "release",
  },
];
