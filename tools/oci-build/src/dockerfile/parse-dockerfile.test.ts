// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of that form
import { describe, expect, it } from "vitest";
import { parseDockerfile } from "./parse-dockerfile.ts";

const parse = (...lines: string[]) => parseDockerfile(lines.join("\n")).instructions;
const parseAfterFrom = (...lines: string[]) => parse("FROM scratch", ...lines)[1];

describe("parseDockerfile", () => {
  it("reads every instruction that needs no engine", () => {
    const instructions = parse(
      "# syntax=docker/dockerfile:1",
      "ARG BASE=scratch",
      "from --platform=$BUILDPLATFORM ${BASE} as Files",
      "ENV A=1 \\",
      "  # a comment between",
      '  B="x y"',
      "COPY --from=files --chmod=755 --chown=1:2 a b/ /c/",
      'COPY ["with space", "/d"]',
      "WORKDIR /var/my task",
      "USER 993:990",
      "EXPOSE 80 443/tcp",
      'LABEL "a.b"=c',
      'ENTRYPOINT ["/a", "b\\"c"]',
      "CMD echo $HOME",
    );
    const withoutText = instructions.map(({ text: _, ...rest }) => rest);
    expect(withoutText).toEqual([
      { kind: "arg", line: 2, entries: [{ name: "BASE", defaultValue: "scratch" }] },
      { kind: "from", line: 3, image: "${BASE}", stageName: "files", platform: "$BUILDPLATFORM" },
      {
        kind: "env",
        line: 4,
        entries: [
          { name: "A", value: "1" },
          { name: "B", value: '"x y"' },
        ],
      },
      {
        kind: "copy",
        line: 7,
        sources: ["a", "b/"],
        destination: "/c/",
        from: "files",
        chmod: "755",
        chown: "1:2",
      },
      { kind: "copy", line: 8, sources: ["with space"], destination: "/d" },
      { kind: "workdir", line: 9, value: "/var/my task" },
      { kind: "user", line: 10, value: "993:990" },
      { kind: "expose", line: 11, ports: "80 443/tcp" },
      { kind: "label", line: 12, entries: [{ name: '"a.b"', value: "c" }] },
      { kind: "entrypoint", line: 13, argv: ["/a", 'b"c'] },
      { kind: "cmd", line: 14, argv: ["/bin/sh", "-c", "echo $HOME"] },
    ]);
  });

  it("reads the old form of ENV, and several ARGs in one", () => {
    expect(parseAfterFrom("ENV A the  rest")).toMatchObject({ entries: [{ name: "A", value: "the  rest" }] });
    expect(parseAfterFrom("ARG A B='x y'")).toMatchObject({
      entries: [{ name: "A" }, { name: "B", defaultValue: "'x y'" }],
    });
  });

  it("follows the escape directive", () => {
    const { escapeCharacter, instructions } = parseDockerfile(
      "# escape=`\nFROM scratch\nCOPY a `\n  b\\c /x/\n",
    );
    expect(escapeCharacter).toBe("`");
    expect(instructions[1]).toMatchObject({ sources: ["a", "b\\c"], destination: "/x/" });
  });

  it.each([
    ["RUN npm ci", "RUN"],
    ["ADD a /b", "ADD"],
    ["VOLUME /data", "VOLUME"],
    ["HEALTHCHECK NONE", "HEALTHCHECK"],
    ["ONBUILD COPY a b", "ONBUILD"],
    ['SHELL ["sh"]', "SHELL"],
    ["COPY <<EOF /x\nhello\nEOF", "COPY with a heredoc"],
    ["COPY --link a b", "COPY --link"],
    ["COPY --parents a b", "COPY --parents"],
    ["NONSENSE a", "NONSENSE"],
  ])("refuses %j, names the line, and says which engine to use", (line, value) => {
    const build = () => parse("FROM scratch", "ENV A=1", line);
    expect(build).toThrow(expect.objectContaining({ code: "E_DOCKERFILE_UNSUPPORTED", value }));
    expect(build).toThrow("line 3");
    expect(build).toThrow("CDK_DOCKER=docker");
  });

  it("refuses a frontend that it is not", () => {
    expect(() => parse("# syntax=example.com/frontend", "FROM scratch")).toThrow("E_DOCKERFILE_UNSUPPORTED");
  });

  it.each([
    ["COPY a", "COPY has the form"],
    ["COPY", "says nothing"],
    ["FROM scratch AS", "FROM has the form"],
    ["FROM a b c", "FROM has the form"],
    ["ENV A", "NAME=VALUE"],
    ["LABEL =x", "NAME=VALUE"],
  ])("%j is malformed", (line, message) => {
    const build = () => parse("FROM scratch", line);
    expect(build).toThrow(expect.objectContaining({ code: "E_DOCKERFILE_MALFORMED" }));
    expect(build).toThrow(message);
  });

  it.each(["", "ENV A=1", "ARG A"])("wants a FROM first: %j", (text) => {
    expect(() => parse(text)).toThrow("starts with FROM");
  });
});
