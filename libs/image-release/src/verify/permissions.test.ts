import { parseFunction, stages } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { findPrincipal, listPermissions, sides } from "./permissions.ts";

describe("findPrincipal", () => {
  it.each([
    ["arn:aws:sts::123456789012:assumed-role/release/session", "arn:aws:iam::123456789012:role/release"],
    ["arn:aws-cn:sts::123456789012:assumed-role/a/b", "arn:aws-cn:iam::123456789012:role/a"],
    ["arn:aws:iam::123456789012:user/team/ada", "arn:aws:iam::123456789012:user/team/ada"],
    ["arn:aws:iam::123456789012:root", undefined],
    ["arn:aws:sts::123456789012:federated-user/ada", undefined],
  ])("of %s is %s", (caller, principal) => expect(findPrincipal(caller)).toBe(principal));
});

describe("listPermissions", () => {
  const fn = parseFunction("lambda-app", stages.dev, "x86_64");
  const where = { partition: "aws", account: "123456789012", region: "eu-central-1" };

  it.each(sides)(
    "asks for nothing beyond the function's own in %s, but where there is no resource",
    (side) => {
      const resources = listPermissions(fn, where, side).flatMap((group) => group.resources);
      const others = resources.filter((resource) => resource !== "*" && !resource.includes("lambda-app"));
      expect(others.every((resource) => resource.includes(":role/cdk-"))).toBe(true);
    },
  );

  it("lets only a release push and publish", () => {
    const actions = (side: "release" | "deploy") =>
      listPermissions(fn, where, side)
        .filter(({ subject }) => subject !== "lease")
        .flatMap((group) => group.actions);
    expect(actions("release")).toEqual(expect.arrayContaining(["ecr:PutImage", "ssm:PutParameter"]));
    expect(actions("deploy")).not.toContain("ecr:PutImage");
    expect(actions("deploy")).not.toContain("ssm:PutParameter");
  });
});
