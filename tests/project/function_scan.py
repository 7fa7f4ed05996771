"""Finds the functions that C++ files define, with their lines and parameters.

It reads text as clang-format leaves it, so that a few rules of layout replace a parser: a template argument list follows
its name without a space, a comparison has spaces around it, and a body's brace has a space before it.
"""

import re
from dataclasses import dataclass

# Comments, literals and preprocessor lines; a quote between digits separates them.
NOISE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"([^()\s\\]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)'(?:\\.|[^'\\\n])+'|^[ \t]*\#(?:\\\n|[^\n])*""",
    re.DOTALL | re.MULTILINE,
)
BRACKET = re.compile(r"[(){}\[\]]")
STOP = re.compile(r"[;{(\[]")
ACCESS = re.compile(r"(?:\s*(?:public|private|protected)\s*:(?!:))+")
TYPE = re.compile(r"\s*(?:typedef\s+)?(?:class|struct|union)\b")
ENUM = re.compile(r"\s*enum\b")
SCOPE = re.compile(r"\s*(?:inline\s+)?namespace\b|\s*extern\s*\"")
OPERATOR = re.compile(r"\boperator\s*(?:\(\)|\[\]|[^\s\w(]+)")
NAME = re.compile(r"[\w:~]+(?:<[^()]*>)?\s*$")
# Whatever stands in brackets behind these is not a parameter list.
NO_FUNCTION = {"alignas", "decltype", "explicit", "noexcept", "requires", "__attribute__", "__declspec"}


@dataclass(frozen=True)
class Function:
    name: str  # as written, below the classes around it: "Store::put"
    first_line: int
    lines: int  # from the signature to the closing brace
    parameters: int


def blank_noise(text):
    """The text with the same lines and no comments, preprocessor lines, or contents of literals."""

    def blank(match):
        spaces = re.sub(r"[^\n]", " ", match[0])
        return '"' + spaces[1:-1] + '"' if match[0][-1] in "\"'" and match[0][0] in "R\"'" else spaces

    return NOISE.sub(blank, text)


def matching(text, at):
    """Where the bracket at `at` is closed."""
    depth = 0
    for bracket in BRACKET.finditer(text, at):
        depth += 1 if bracket[0] in "({[" else -1
        if depth == 0:
            return bracket.start()
    raise ValueError(f"line {text.count(chr(10), 0, at) + 1}: a bracket is not closed")


@dataclass
class Head:
    """What stands before a brace, seen from outside all brackets."""

    groups: list  # (begin, end) of each (...)
    assigns: bool = False  # has an `=`
    has_initializers: bool = False  # has a `:` behind a group


def read_head(text):
    text = OPERATOR.sub(lambda match: "o" * len(match[0]), text)
    head = Head([])
    at = angles = 0
    while at < len(text):
        char = text[at]
        before = text[at - 1] if at > 0 else " "
        if char in "([{":
            end = matching(text, at)
            word = re.search(r"\w*\s*$", text[:at])[0].strip()
            if char == "(" and angles == 0 and word not in NO_FUNCTION:
                head.groups.append((at, end))
            at = end
        elif char == "<" and (re.match(r"\w", before) or text[:at].rstrip().endswith("template")):
            angles += 1
        elif char == ">" and angles > 0 and before != "-":
            angles -= 1
        elif char == "=" and angles == 0:
            head.assigns = True
        elif char == ":" and angles == 0 and head.groups and ":" not in (before, text[at + 1 : at + 2]):
            head.has_initializers = True
        at += 1
    return head


def count_parameters(group):
    """Of `group`, the text between the parentheses."""
    if group.strip() in ("", "void"):
        return 0
    count = 1
    at = angles = 0
    while at < len(group):
        char = group[at]
        if char in "([{":
            at = matching(group, at)
        elif char == "<" and re.match(r"\w", group[at - 1 : at]):
            angles += 1
        elif char == ">" and angles > 0 and group[at - 1] != "-":
            angles -= 1
        elif char == "," and angles == 0:
            count += 1
        at += 1
    return count


def name_before(text):
    operator = re.search(r"\b(?:[\w:]+::)?operator\s*\S+(?: \w+)*\s*$", text)
    name = operator or NAME.search(text)
    return " ".join(name[0].split()) if name else "?"


class Scan:
    def __init__(self, text):
        self.text = blank_noise(text)
        self.line_begins = [0] + [match.end() for match in re.finditer("\n", text)]
        self.functions = []

    def line_of(self, at):
        return self.text.count("\n", 0, at) + 1

    def scope(self, begin, end, name):
        """Reads declarations: of a namespace, a class or the whole file."""
        head_begin = at = begin
        while stop := STOP.search(self.text, at, end):
            at = stop.start()
            if stop[0] == ";":
                head_begin = at = at + 1
                continue
            close = matching(self.text, at)
            if stop[0] == "{" and self.brace(head_begin, at, close, name):
                head_begin = close + 1
            at = close + 1

    def brace(self, head_begin, at, close, scope_name):
        """Takes what the brace opens. False: only a part of a declaration that goes on."""
        if access := ACCESS.match(self.text, head_begin, at):
            head_begin = access.end()
        text = self.text[head_begin:at]
        head_begin += len(text) - len(text.lstrip())
        text = text.lstrip()
        if SCOPE.match(text):
            self.scope(at + 1, close, scope_name)
            return True
        if ENUM.match(text):
            return False
        head = read_head(text)
        declared = re.sub(r"^template <.*?>\s*(?=class|struct|union)", "", text, flags=re.DOTALL)
        if TYPE.match(declared) and not head.groups:
            type_name = re.search(r"(?:class|struct|union)\s+(?:alignas\([^)]*\)\s*)?([\w:]*)", declared)[1]
            self.scope(at + 1, close, f"{scope_name}{type_name}::" if type_name else scope_name)
            return False
        if head.assigns or not head.groups:
            return False
        if head.has_initializers and not self.text[at - 1].isspace():
            return False
        group_begin, group_end = head.groups[0]
        line = self.line_of(head_begin)
        self.functions.append(
            Function(
                name=scope_name + name_before(text[:group_begin]),
                first_line=line,
                lines=self.line_of(close) - line + 1,
                parameters=count_parameters(text[group_begin + 1 : group_end]),
            )
        )
        return True


def functions_of(text):
    """Every function that the file defines, each once: what stands in its body, lambdas and classes too, is part of it."""
    scan = Scan(text)
    scan.scope(0, len(scan.text), "")
    return scan.functions
