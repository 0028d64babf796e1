import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { workspaceRoot } from "./scratch-workspace.ts";

/**
 * Which rooms a room may refer to. The compiler refuses everything beyond a project's references; this keeps the
 * references themselves from growing, by hand or by `nx sync`.
 */
const allowed: Readonly<Record<string, RegExp>> = {
  apps: /^(libs\/|docker$)/,
  libs: /^(libs\/|docker$)/,
  docker: /^libs\//,
  tools: /^(tools\/|apps\/|libs\/|docker$)/,
};

const projects = [
  "docker",
  ...["apps", "libs", "tools"].flatMap((room) =>
    readdirSync(join(workspaceRoot, room)).map((name) => join(room, name)),
  ),
];

function readReferences(project: string): string[] {
  const { references = [] } = JSON.parse(readFileSync(join(workspaceRoot, project, "tsconfig.json"), "utf8"));
  return references.map(({ path }: { path: string }) =>
    relative(workspaceRoot, join(workspaceRoot, project, path)),
  );
}

describe("the rooms", () => {
  it.each(projects)("%s refers to no room beyond its own", (project) => {
    const rule = allowed[project.split("/")[0] ?? ""];
    expect(readReferences(project).filter((reference) => !rule?.test(reference))).toEqual([]);
  });

  it("what both sides agree on stands on nothing, and the protocol on that alone", () => {
    expect(readReferences("libs/shared-config")).toEqual([]);
    expect(readReferences("libs/handoff")).toEqual(["libs/shared-config"]);
  });
});
