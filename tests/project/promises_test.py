"""Promises about the code that a search can check: no function is long or takes many parameters, no block stands twice."""

import textwrap
from pathlib import Path

import pytest
from function_scan import Function, functions_of
from repeated_lines import Repeat, repeated_blocks

ROOT = Path(__file__).resolve().parents[2]

FUNCTION_FOLDERS = ["io", "codecs", "engine", "sinks", "verify", "tools"]
LINES_MAX = 80
PARAMETERS_MAX = 6

# Functions that may be longer or take more, each with its reason.
FUNCTION_EXCEPTIONS = {}

REPEAT_FOLDERS = [*FUNCTION_FOLDERS, "bench", "tests"]
REPEATED_LINES_MAX = 12


def files_in(folders, suffixes):
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*") if p.suffix in suffixes)


def function_problems(texts, exceptions):
    """`texts` by file name; `exceptions` by file and function."""
    problems = []
    large = set()
    for file, text in texts.items():
        for function in functions_of(text):
            if function.lines <= LINES_MAX and function.parameters <= PARAMETERS_MAX:
                continue
            key = f"{file}: {function.name}"
            large.add(key)
            if key not in exceptions:
                problems.append(
                    f"{key}: {function.lines} lines, {function.parameters} parameters; at most {LINES_MAX} and "
                    f"{PARAMETERS_MAX}: split it, or list it in FUNCTION_EXCEPTIONS with the reason"
                )
    problems += (f"{key}: no longer needs its place in FUNCTION_EXCEPTIONS" for key in exceptions if key not in large)
    return problems


def texts_of(paths):
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


def test_functions_are_short_and_take_few_parameters():
    texts = texts_of(files_in(FUNCTION_FOLDERS, {".h", ".cc"}))
    assert function_problems(texts, FUNCTION_EXCEPTIONS) == []


def test_no_block_of_lines_stands_twice():
    texts = texts_of(files_in(REPEAT_FOLDERS, {".h", ".cc", ".py"}))
    assert [str(repeat) for repeat in repeated_blocks(texts, REPEATED_LINES_MAX + 1)] == []


# What follows tests the two scanners.


def scanned(text):
    return [(f.name, f.lines, f.parameters) for f in functions_of(textwrap.dedent(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int f(int a, int b) { return a; }\n", [("f", 1, 2)]),
        ("namespace a::b {\nvoid f() {\n}\nvoid g(void) {}\n}  // namespace a::b\n", [("f", 2, 0), ("g", 1, 0)]),
        ("int f(int a, int b);\nextern int x;\n", []),
        # A constructor: what initializes members is no body, in parentheses or in braces.
        (
            """
            struct Store {
              Store(int a, std::map<int, Text> b)
                  : a_(a), b_{std::move(b)}, thread_([this] { run(); }), list_{} {
                run();
              }
              ~Store() override { end(); }
              int a_ = 1;
              int c_{2};
              std::function<void(int)> done_ = [](int) {};
            };
            """,
            [("Store::Store", 4, 2), ("Store::~Store", 1, 0)],
        ),
        # Lambdas and classes in a body are part of it.
        (
            """
            Result<void> run(const std::function<Result<void>(std::size_t, int)>& visit, Options options = {}) {
              struct Local {
                int many(int, int, int, int, int, int, int) { return 1; }
              };
              const auto each = [&](int a, int b) {
                return a < b;
              };
              return {};
            }
            """,
            [("run", 9, 2)],
        ),
        (
            """
            template <typename T, std::size_t n = sizeof(T)>
            std::array<T, n> filled(T value, std::pair<int, int> range) {
              return {};
            }
            template <>
            struct Hash<Key> {
              std::size_t operator()(const Key& key) const noexcept { return 0; }
              bool operator<(const Key& other) const { return true; }
              Key& operator=(Key&& other) noexcept { return *this; }
              explicit operator bool() const { return true; }
              const Key* operator->() const { return nullptr; }
            };
            """,
            [
                ("filled", 4, 2),
                ("Hash::operator()", 1, 1),
                ("Hash::operator<", 1, 1),
                ("Hash::operator=", 1, 1),
                ("Hash::operator bool", 1, 0),
                ("Hash::operator->", 1, 0),
            ],
        ),
        # Preprocessor lines, comments and literals hold no code.
        (
            """
            #define DRS_MAKE(a, b) \\
              int a##b() {         \\
              }
            // void f() {
            /* void g() { */
            const char* const kText = "void h() {";
            const char kBrace = '{';
            const auto kRaw = R"x(void i() {)x";
            constexpr int kMany = 1'000'000;
            void j() {}
            """,
            [("j", 1, 0)],
        ),
        # Neither types nor values are functions.
        (
            """
            enum class Kind : std::uint8_t { kA, kB };
            class alignas(64) Base : public Other<int(int)> {
             public:
              [[nodiscard]] virtual auto size() const -> std::size_t { return 0; }

             protected:
              virtual void none() = 0;
              struct Part {
                bool is(int a) const { return a == 1; }
              } part_;
            };
            const std::map<int, int> kMap = {{1, 2}};
            constexpr std::array<int, 2> kPair{1, 2};
            extern "C" {
            void c_function(int a, int (*callback)(int, int)) {
            }
            }
            TEST_F(Suite, Name) {
            }
            """,
            [("Base::size", 1, 0), ("Base::Part::is", 1, 1), ("c_function", 2, 2), ("TEST_F", 2, 2)],
        ),
        (
            """
            HttpClient::Curl::Curl(Options options)
                : HttpClient(std::move(options)) {}
            Result<std::unique_ptr<Store>> Store::make(const std::vector<std::pair<int, int>>& pairs, bool a,
                                                       std::function<void(int, int)> done) {
              return {};
            }
            """,
            [("HttpClient::Curl::Curl", 2, 1), ("Store::make", 4, 3)],
        ),
    ],
)
def test_the_scan_finds_functions_with_their_lines_and_parameters(text, expected):
    assert scanned(text) == expected


def test_the_scan_says_where_a_function_begins():
    assert functions_of("// first\n\nint f() {\n  return 1;\n}\n") == [Function("f", 3, 3, 0)]


def test_a_long_function_a_wide_one_and_a_stale_exception_are_found():
    texts = {
        "a.cc": "void longer() {\n" + "  call();\n" * 79 + "}\nvoid fits() {\n" + "  call();\n" * 78 + "}\n",
        "b.cc": "void wide(int, int, int, int, int, int, int) {}\nvoid known(int, int, int, int, int, int, int) {}\n",
    }
    problems = function_problems(texts, {"b.cc: known": "a table", "b.cc: gone": "it was long"})
    assert [problem.split(";")[0] for problem in problems] == [
        "a.cc: longer: 81 lines, 0 parameters",
        "b.cc: wide: 1 lines, 7 parameters",
        "b.cc: gone: no longer needs its place in FUNCTION_EXCEPTIONS",
    ]


def numbered(begin, end):
    return [f"call({number});" for number in range(begin, end)]


def test_a_repeated_block_is_found_whatever_its_indentation_comments_and_blank_lines():
    first = ["int f() {", *numbered(0, 15), "}"]
    second = ["void g() {", "  other();", *(f"    {line}\n    // why\n" for line in numbered(0, 14)), "  last();", "}"]
    found = repeated_blocks({"a.cc": "\n".join(first), "b.cc": "\n".join(second)}, 13)
    assert found == [Repeat(("a.cc", 2, 15), ("b.cc", 3, 42))]
    assert str(found[0]) == "a.cc:2-15 ~ b.cc:3-42"


def test_a_block_repeated_in_its_own_file_is_found():
    assert repeated_blocks({"a.py": "\n".join([*numbered(0, 13), "between()", *numbered(0, 13)])}, 13) == [
        Repeat(("a.py", 1, 13), ("a.py", 15, 27))
    ]


def test_shorter_blocks_and_what_says_nothing_are_passed_over():
    assert repeated_blocks({"a.cc": "\n".join(numbered(0, 12)), "b.cc": "\n".join(numbered(0, 12))}, 13) == []
    empty = "\n".join(["{", "}", "", "// text", "#include <vector>"] * 20)
    assert repeated_blocks({"a.cc": empty, "b.cc": empty}, 13) == []
    assert repeated_blocks({"a.cc": "call();\n" * 20}, 13) == []
