import { describe, expect, it } from "vitest";
import { functions, parseFunction, parseHostArchitecture } from "./functions.ts";
import { parseStage, stageNames, stages } from "./stages.ts";

describe("parseFunction", () => {
  it("gives every name that the two sides share", () => {
    const { architecture: _, ...stage } = stages.dev;
    expect(parseFunction("lambda-app", stage, "arm64")).toEqual({
      project: "lambda-app",
      stage,
      architecture: functions["lambda-app"]?.architecture,
      functionName: "lambda-app-dev",
      repositoryName: "lambda-app-dev",
      imageTagParameter: "/lambda-app/dev/image-tag",
      leaseParameter: "/lambda-app/dev/lease",
      stackName: "lambda-app-dev",
      repositoryStackName: "lambda-app-dev-repository",
    });
  });

  it("follows the host where the stage says so", () => {
    expect(parseFunction("lambda-app", stages.local, "arm64").architecture).toBe("arm64");
    expect(parseFunction("lambda-app", stages.local, "x86_64").architecture).toBe("x86_64");
  });

  it.each(["nothing", "", "toString", "__proto__"])("refuses %j and names what there is", (project) => {
    expect(() => parseFunction(project, stages.dev, "arm64")).toThrow(
      expect.objectContaining({ code: "E_FUNCTION_UNKNOWN", value: project }),
    );
    expect(() => parseFunction(project, stages.dev, "arm64")).toThrow("lambda-app");
  });

  it("has names that AWS takes: parameters that begin with aws or ssm are its own", () => {
    for (const project of Object.keys(functions))
      expect(project).toMatch(/^(?!aws|ssm|deploy-roles$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
  });

  it("shares no name between any two functions and stages", () => {
    const all = Object.keys(functions).flatMap((project) =>
      stageNames.map((stage) => parseFunction(project, stages[stage], "arm64")),
    );
    for (const name of ["functionName", "imageTagParameter", "leaseParameter", "stackName"] as const) {
      expect(new Set(all.map((fn) => fn[name])).size).toBe(all.length);
    }
  });
});

describe("parseHostArchitecture", () => {
  it("knows the two that Lambda runs", () => {
    expect([parseHostArchitecture("x64"), parseHostArchitecture("arm64")]).toEqual(["x86_64", "arm64"]);
  });

  it("refuses all others", () => {
    expect(() => parseHostArchitecture("ia32")).toThrow("E_ARCHITECTURE_UNSUPPORTED: Lambda runs");
    expect(() => parseHostArchitecture("ia32")).toThrow('"ia32"');
  });
});

describe("parseStage", () => {
  it("gives the row of the table", () => {
    for (const name of stageNames) expect(parseStage(name)).toBe(stages[name]);
  });

  it.each(["", "Prod", "nowhere", "toString"])("refuses %j and shows what is allowed", (value) => {
    expect(() => parseStage(value)).toThrow(expect.objectContaining({ code: "E_STAGE_UNKNOWN", value }));
    expect(() => parseStage(value)).toThrow(stageNames.join(", "));
  });
});
