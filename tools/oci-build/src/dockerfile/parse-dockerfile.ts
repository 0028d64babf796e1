import { DockerfileParser, Flag, type Instruction as ParsedInstruction } from "dockerfile-ast";
import { malformed, unsupported } from "./dockerfile-error.ts";
import type { Assignment, Instruction, Position } from "./instruction.ts";
import { splitQuotedWords } from "./words.ts";

export interface ParsedDockerfile {
  readonly instructions: readonly Instruction[];
  /** `\`, unless the directive `# escape=` says a backtick. */
  readonly escapeCharacter: string;
}

/**
 * @throws CodedError `E_DOCKERFILE_UNSUPPORTED` for what only an engine can do, `E_DOCKERFILE_MALFORMED`; both
 * name the line
 */
export function parseDockerfile(text: string): ParsedDockerfile {
  const dockerfile = DockerfileParser.parse(text);
  const escapeCharacter = dockerfile.getEscapeCharacter();
  for (const directive of dockerfile.getDirectives()) {
    const isForeign =
      directive.getName() === "syntax" && !/^docker\/dockerfile(:|@|$)/.test(directive.getValue());
    if (isForeign) throw unsupported(`syntax=${directive.getValue()}`, directive.getRange().start.line + 1);
  }
  const instructions = dockerfile
    .getInstructions()
    .map((parsed) => parseInstruction(parsed, escapeCharacter));
  const first = instructions.find((instruction) => instruction.kind !== "arg");
  if (first?.kind !== "from") {
    throw malformed("a Dockerfile starts with FROM", first ?? { line: 1, text: "" });
  }
  return { instructions, escapeCharacter };
}

/** What an instruction is parsed from: its arguments on one line, without its flags. */
interface Parts extends Position {
  readonly body: string;
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  readonly escapeCharacter: string;
}

function parseInstruction(parsed: ParsedInstruction, escapeCharacter: string): Instruction {
  const keyword = parsed.getKeyword();
  const line = parsed.getRange().start.line + 1;
  const parse = parsers[keyword];
  if (parse === undefined) throw unsupported(parsed.getInstruction(), line);
  const body = joinLines(parsed.getRawArgumentsContent() ?? "", escapeCharacter);
  const flags = parseFlags(parsed);
  const flagTexts = [...flags].map(([name, value]) => `--${name}=${value}`);
  const text = [keyword, ...flagTexts, body].join(" ").trim();
  const words = body.split(/\s+/).filter(Boolean);
  if (words.length === 0) throw malformed("the instruction says nothing", { line, text });
  const otherFlag = [...flags.keys()].find((name) => !supportedFlags[keyword]?.includes(name));
  if (otherFlag !== undefined) throw unsupported(`${keyword} --${otherFlag}`, line);
  return parse({ line, text, body, words, flags, escapeCharacter });
}

const supportedFlags: Readonly<Record<string, readonly string[]>> = {
  FROM: ["platform"],
  COPY: ["from", "chown", "chmod"],
};

const parsers: Readonly<Record<string, (parts: Parts) => Instruction>> = {
  FROM: parseFrom,
  COPY: parseCopy,
  ARG: ({ line, text, body, escapeCharacter }) => ({
    kind: "arg",
    line,
    text,
    entries: splitQuotedWords(body, escapeCharacter).map((word) => {
      const equals = word.indexOf("=");
      return equals < 0
        ? { name: word }
        : { name: word.slice(0, equals), defaultValue: word.slice(equals + 1) };
    }),
  }),
  ENV: (parts) => ({ kind: "env", line: parts.line, text: parts.text, entries: parseAssignments(parts) }),
  LABEL: (parts) => ({ kind: "label", line: parts.line, text: parts.text, entries: parseAssignments(parts) }),
  WORKDIR: ({ line, text, body }) => ({ kind: "workdir", line, text, value: body }),
  USER: ({ line, text, body }) => ({ kind: "user", line, text, value: body }),
  EXPOSE: ({ line, text, body }) => ({ kind: "expose", line, text, ports: body }),
  ENTRYPOINT: ({ line, text, body }) => ({ kind: "entrypoint", line, text, argv: parseArgv(body) }),
  CMD: ({ line, text, body }) => ({ kind: "cmd", line, text, argv: parseArgv(body) }),
};

function parseFrom({ line, text, words, flags }: Parts): Instruction {
  const [image = "", as, stageName, ...more] = words;
  const isNamed = as?.toUpperCase() === "AS" && /^[a-z][a-z0-9-_.]*$/i.test(stageName ?? "");
  if (more.length > 0 || (as !== undefined && !isNamed)) {
    throw malformed("FROM has the form FROM IMAGE [AS NAME]", { line, text });
  }
  const platform = flags.get("platform");
  return {
    kind: "from",
    line,
    text,
    image,
    ...(stageName !== undefined && { stageName: stageName.toLowerCase() }),
    ...(platform !== undefined && { platform }),
  };
}

function parseCopy({ line, text, body, words, flags }: Parts): Instruction {
  const paths = parseJsonStrings(body) ?? words;
  if (paths.some((path) => path.startsWith("<<"))) throw unsupported("COPY with a heredoc", line);
  const destination = paths.at(-1);
  if (paths.length < 2 || destination === undefined) {
    throw malformed("COPY has the form COPY SOURCE ... DESTINATION", { line, text });
  }
  const [from, chown, chmod] = [flags.get("from"), flags.get("chown"), flags.get("chmod")];
  return {
    kind: "copy",
    line,
    text,
    sources: paths.slice(0, -1),
    destination,
    ...(from !== undefined && { from }),
    ...(chown !== undefined && { chown }),
    ...(chmod !== undefined && { chmod }),
  };
}

function parseFlags(parsed: ParsedInstruction): Map<string, string> {
  const found: unknown =
    "getFlags" in parsed && typeof parsed.getFlags === "function" ? parsed.getFlags() : [];
  const flags = Array.isArray(found) ? found.filter((flag) => flag instanceof Flag) : [];
  return new Map(flags.map((flag) => [flag.getName(), flag.getValue() ?? ""]));
}

/** One line of the lines that an escape character at the end joins; comment lines between them drop out. */
function joinLines(raw: string, escapeCharacter: string): string {
  const continued = escapeCharacter === "`" ? /`[ \t]*$/ : /\\[ \t]*$/;
  return raw
    .split(/\r?\n/)
    .filter((line, index) => index === 0 || !/^\s*#/.test(line))
    .map((line) => line.replace(continued, ""))
    .join("")
    .trim();
}

function parseArgv(body: string): string[] {
  return parseJsonStrings(body) ?? ["/bin/sh", "-c", body];
}

/** The JSON form of an instruction; anything else, malformed JSON too, is the form with words, as in docker. */
function parseJsonStrings(body: string): string[] | undefined {
  if (!body.startsWith("[")) return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    if (Array.isArray(parsed) && parsed.every((item) => typeof item === "string")) return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}

/** `NAME=VALUE ...`, or the old `NAME the rest of the line`. */
function parseAssignments({ line, text, body, escapeCharacter }: Parts): Assignment[] {
  const words = splitQuotedWords(body, escapeCharacter);
  const [first = ""] = words;
  const oldForm = first.includes("=") ? undefined : { name: first, value: body.slice(first.length).trim() };
  const entries = oldForm === undefined ? words.map(parseAssignment) : [oldForm];
  if (oldForm?.value === "" || entries.some((entry) => entry.name === "")) {
    throw malformed("the form is NAME=VALUE ...", { line, text });
  }
  return entries;
}

function parseAssignment(word: string): Assignment {
  const equals = word.indexOf("=");
  return equals < 1
    ? { name: "", value: word }
    : { name: word.slice(0, equals), value: word.slice(equals + 1) };
}
