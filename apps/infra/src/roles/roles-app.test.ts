import { type FunctionOnStage, parseFunction, type StageName, stages } from "@workspace/shared-config";
import { type App, Stack } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { buildGitHubClaims, type GitHubRepository, parseGitHubRepository } from "./github-subject.ts";
import { buildRolesApp, rolesStackName } from "./roles-app.ts";

beforeAll(() => {
  process.env.CDK_VALIDATION = "false";
});

const account = "111111111111";
const repository = parseGitHubRepository("octo-org/octo-repo");
const functionOn = (stage: StageName) => parseFunction("lambda-app", stages[stage], "x86_64");

function synthesize(...asked: Parameters<typeof synthesizeStacks>) {
  const { provider, roles } = synthesizeStacks(...asked);
  return { provider: Template.fromStack(provider), roles: Template.fromStack(roles) };
}

function synthesizeStacks(
  stage: StageName,
  {
    fns = [functionOn(stage)],
    named = repository,
  }: { fns?: FunctionOnStage[]; named?: GitHubRepository } = {},
) {
  const region = stages[stage].region;
  const app = buildRolesApp({ account, region, stage: stages[stage], fns, repository: named });
  return {
    provider: findStack(app, "github-identity-provider"),
    roles: findStack(app, rolesStackName(stages[stage])),
  };
}

function findStack(app: App, id: string): Stack {
  const stack = app.node.findChild(id);
  if (!(stack instanceof Stack)) throw new Error(`${id} is no stack`);
  return stack;
}

/** What each role's trust policy asks of a token, without the issuer before the claims. */
function findClaims(template: Template): Record<string, string>[] {
  return Object.values(template.findResources("AWS::IAM::Role")).map(({ Properties }) => {
    const [statement, ...others] = Properties.AssumeRolePolicyDocument.Statement;
    expect(others).toEqual([]);
    expect(statement.Action).toBe("sts:AssumeRoleWithWebIdentity");
    expect(Object.keys(statement.Condition)).toEqual(["StringEquals"]);
    return Object.fromEntries(
      Object.entries<string[]>(statement.Condition.StringEquals).map(([key, values]) => [
        key.replace("token.actions.githubusercontent.com:", ""),
        values.join(" or "),
      ]),
    );
  });
}

const aud = "sts.amazonaws.com";
const ofEnvironment = (environment: string) => ({
  aud,
  sub: `repo:octo-org/octo-repo:environment:${environment}`,
  ref: "refs/heads/main",
});

describe("who may take a role", () => {
  it("on prod: jobs of its environment, on main", () => {
    expect(findClaims(synthesize("prod").roles)).toEqual([ofEnvironment("prod"), ofEnvironment("prod")]);
  });

  it("on dev: its environment's jobs, the promotion for reading, and pull requests for the diff", () => {
    const claims = findClaims(synthesize("dev").roles);
    expect(claims.sort((one, other) => (one.sub ?? "").localeCompare(other.sub ?? ""))).toEqual([
      ofEnvironment("dev"),
      ofEnvironment("dev"),
      ofEnvironment("prod"),
      { aud, sub: "repo:octo-org/octo-repo:pull_request" },
    ]);
  });

  it("with the ids of a repository whose tokens carry them", () => {
    const named = parseGitHubRepository("octo-org@1234/octo-repo@5678");
    expect(findClaims(synthesize("prod", { named }).roles)[0]).toEqual({
      ...ofEnvironment("prod"),
      sub: "repo:octo-org@1234/octo-repo@5678:environment:prod",
    });
  });

  it.each([
    "octo-org",
    "octo-org/*",
    "*/*",
    "octo-org/a:environment:prod",
    "a/b/c",
    "octo-org@1234/octo-repo",
    "octo-org@*/octo-repo@*",
    "",
  ])("no other repository can be smuggled in: %j", (value) => {
    expect(() => parseGitHubRepository(value)).toThrow(/E_REPOSITORY_MALFORMED/);
  });
});

it("buildGitHubClaims lets the jobs of several environments take a role", () => {
  expect(buildGitHubClaims(repository, { environments: ["prod-eu", "prod-us"] }).sub).toEqual([
    "repo:octo-org/octo-repo:environment:prod-eu",
    "repo:octo-org/octo-repo:environment:prod-us",
  ]);
});

describe("the policies", () => {
  it.each([
    [40, "a-function-of-the-team"],
    [20, "a-function-whose-name-is-as-long-as-can"],
  ])("fit IAM's limits with %d functions like %s", (count, name) => {
    const fn = functionOn("prod");
    const fns = Array.from({ length: count }, (_, index) =>
      renameFunction(fn, `${name}-${index}`.slice(-40)),
    );
    const { roles } = synthesize("prod", { fns });
    const policies = Object.values(roles.findResources("AWS::IAM::ManagedPolicy"));
    const documents = policies.map(({ Properties }) => JSON.stringify(Properties.PolicyDocument));
    for (const document of documents) expect(document.length).toBeLessThanOrEqual(6144);
    for (const { functionName } of fns) expect(documents.join()).toContain(`:function:${functionName}"`);
    const attachedTo = policies.map(({ Properties }): string => Properties.Roles[0].Ref);
    for (const role of new Set(attachedTo)) {
      expect(attachedTo.filter((other) => other === role).length).toBeLessThanOrEqual(10);
    }
  });
});

describe("the policies of many functions", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => renameFunction(functionOn("prod"), `payment-events-${n}`));

  it("are told to need a higher quota where they are more than the usual ten", () => {
    const infos = (count: number) => {
      const { roles } = synthesizeStacks("prod", { fns: many(count) });
      return Annotations.fromStack(roles).findInfo("*", Match.stringLikeRegexp("Raise the account's quota"));
    };
    expect(infos(30)).toEqual([]);
    expect(infos(50).length).toBeGreaterThan(0);
  });

  it("are refused where no quota allows them", () => {
    expect(() => synthesize("prod", { fns: many(120) })).toThrow("E_ROLE_TOO_LARGE");
  });
});

describe("in another partition", () => {
  it("the identity provider is that partition's", () => {
    const region = "us-gov-west-1";
    const stage = { ...stages.prod, region };
    const fns = [parseFunction("lambda-app", stage, "x86_64")];
    const app = buildRolesApp({ account, region, stage, fns, repository });
    const text = JSON.stringify(Template.fromStack(findStack(app, rolesStackName(stage))).toJSON());
    expect(text).toContain("arn:aws-us-gov:iam::");
    expect(text).not.toContain("arn:aws:");
  });
});

describe("the identity provider", () => {
  it("is one for the account, and stays when its stack goes", () => {
    const { provider, roles } = synthesize("dev");
    provider.hasResource("AWS::IAM::OIDCProvider", {
      DeletionPolicy: "Retain",
      Properties: {
        Url: "https://token.actions.githubusercontent.com",
        ClientIdList: ["sts.amazonaws.com"],
        ThumbprintList: Match.absent(),
      },
    });
    roles.resourceCountIs("AWS::IAM::OIDCProvider", 0);
  });

  it("is left out where the account has it", () => {
    const props = {
      account,
      region: "eu-central-1",
      stage: stages.prod,
      fns: [functionOn("prod")],
      repository,
    };
    const app = buildRolesApp({ ...props, hasProvider: true });
    expect(app.node.tryFindChild("github-identity-provider")).toBeUndefined();
    expect(app.node.tryFindChild(rolesStackName(stages.prod))).toBeDefined();
  });

  it("tells which variable each role's ARN belongs in", () => {
    synthesize("dev").roles.hasOutput("DeployRoleArn", { Description: "AWS_DEPLOY_ROLE_ARN" });
  });
});

/** The same function with every name changed. */
function renameFunction(fn: FunctionOnStage, project: string): FunctionOnStage {
  const rename = (name: string) => name.replace("lambda-app", project);
  return {
    ...fn,
    project,
    functionName: rename(fn.functionName),
    repositoryName: rename(fn.repositoryName),
    imageTagParameter: rename(fn.imageTagParameter),
    leaseParameter: rename(fn.leaseParameter),
    stackName: rename(fn.stackName),
    repositoryStackName: rename(fn.repositoryStackName),
  };
}
