import { parseFunction, stages } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { listPermissions, purposes } from "./permissions.ts";

describe("what an identity may do", () => {
  const scope = {
    partition: "aws",
    account: "111111111111",
    region: "eu-central-1",
    fns: [parseFunction("lambda-app", stages.dev, "x86_64")],
  };

  it.each(purposes)("%s: on nothing but what the function owns, or on what has no resource", (purpose) => {
    for (const { sid, actions, resources } of listPermissions(purpose, scope)) {
      for (const action of actions) expect(action).toMatch(/^[a-z]+:[A-Z]\w+$/);
      if (["LogInToRegistry", "WatchCanary"].includes(sid)) {
        expect(resources).toEqual(["*"]);
      } else if (sid === "PrepareWithTheCdk" || sid === "ReadBootstrapVersion") {
        for (const resource of resources) expect(resource).toMatch(/^arn:[^*]*hnb659fds[^*]*$/);
      } else {
        for (const resource of resources)
          expect(resource).toMatch(/^arn:aws:[^*]*\/?lambda-app[-/]dev[^*]*\*?$/);
      }
    }
  });

  it("source and diff: nothing that changes anything", () => {
    for (const purpose of ["source", "diff"] as const) {
      const actions = listPermissions(purpose, scope).flatMap((permission) => permission.actions);
      expect(actions.filter((action) => !/^\w+:(Get|Describe|BatchGet)/.test(action))).toEqual([]);
    }
  });

  it("deploy: neither publish a tag nor push an image", () => {
    const permissions = listPermissions("deploy", scope);
    const writers = permissions.filter(({ actions }) => actions.includes("ssm:PutParameter"));
    expect(writers.map(({ sid }) => sid)).toEqual(["HoldLease"]);
    expect(permissions.flatMap(({ actions }) => actions)).not.toContain("ecr:PutImage");
  });

  it("release: delete versions, but not the function", () => {
    const deleting = listPermissions("release", scope).filter(({ actions }) =>
      actions.includes("lambda:DeleteFunction"),
    );
    expect(deleting.map(({ resources }) => resources)).toEqual([
      ["arn:aws:lambda:eu-central-1:111111111111:function:lambda-app-dev:*"],
    ]);
  });

  it("in China, on resources of that partition", () => {
    const resources = purposes.flatMap((purpose) =>
      listPermissions(purpose, { ...scope, partition: "aws-cn" }).flatMap(
        (permission) => permission.resources,
      ),
    );
    expect(resources.filter((resource) => resource !== "*" && !resource.startsWith("arn:aws-cn:"))).toEqual(
      [],
    );
  });
});
