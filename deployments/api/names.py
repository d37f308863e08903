"""Texts that name nothing: variables that nobody filled in, words for nothing, and errors of programs.

They come from pipelines whose variable is unset or misspelt. Taken for a sha, the first would be live, and all that
follow its duplicates.
"""

import re
from functools import lru_cache

from deployments.errors import InvalidField
from orgs.text import printable, shortened

SHOWN = 100

# Each group says what the text is.
# Shells and CI systems ($NAME, ${NAME}, ${{ … }}, $(Name), $[…]), Windows, Go, Jinja and Helm, Harness, Octopus.
ANYWHERE = re.compile(
    r"(?P<command>`|\$\(\s*[\w./-]+\s)|(?P<variable>\$[A-Za-z_{(\[]|%[A-Za-z][\w.:-]*%|%![a-z]\(|\{\{|\}\}|<[%+]|[#@!]\{)",
    re.ASCII,
)
# Most shas are these, and need no closer look.
PLAIN = re.compile(r"(?!0{7})[0-9a-f]{7,64}", re.ASCII)
COMMAND = r"(?P<command>(?:git|echo|cat)\s.*)"
# An environment may be called git server.
GIT_COMMAND = r"(?P<command>git\s+(?:branch|describe|log|name-rev|rev-list|rev-parse|show|symbolic-ref|tag)(?:\s.*)?)"
# Names of variables without what would make them one, in the spellings of CI systems.
VARIABLE = r"""
    |(?P<variable><[^<>]+>|\(\([^()]+\)\)|__[A-Za-z]\w*__|@[A-Za-z]\w*@|%[A-Za-z]{1,2}
        |github\.(?:sha|ref|ref_name|head_ref|base_ref|event\.[\w.]+)|env\.[A-Z_]+|steps\.[\w-]+\.outputs\.\w+
        |Build\.(?:Source(?:Version|Branch|BranchName)|BuildNumber|BuildId)|build\.vcs\.number(?:\.\w+)?
        |bamboo[._]\w+[._]\w*(?:revision|branch|number)\w*|git\.commit\.id(?:\.abbrev)?
        |(?:inputs|vars|parameters|needs|pipeline|codebase)\.[\w.-]*(?:sha|Sha|SHA|ommit|revision|version|branch|ref)
        |(?:[A-Z]+_)*(?:
            (?<=_)(?:SHA1?|COMMIT|REVISION|REF)|COMMIT_(?:SHA|ID|HASH|REF|TAG|BRANCH|REF_NAME|REF_SLUG)
            |SHORT_SHA|REVISION_ID|SOURCE_?VERSION|SOURCEBRANCH(?:NAME)?|VCS_NUMBER|CHANGE_IN_REPO
            |REF_NAME|HEAD_REF|BASE_REF|BRANCH_NAME|ENVIRONMENT_NAME|ENVIRONMENT_SLUG
        )
        |GIT_(?:BRANCH|TAG)|CI_(?:BUILD_ID|PIPELINE_ID)|(?:CIRCLE|TRAVIS|DRONE|BITBUCKET)_(?:BRANCH|TAG))
"""
NOTHING = r"|(?P<nothing>(?i:null|undefined|nil|none|nan|n/?a|\(null\)|-+|\[object\ object\]))"
CHECKED_OUT = r"""
    |(?P<head>(?i:(?:refs/remotes/)?(?:(?:origin|upstream)/|[a-z]+_)?HEAD(?:[~^@:\s].*)?)
        |\((?:HEAD\ detached|no\ branch).*)
"""
NO_SHA = r"""
    |(?P<word>(?i:unknown|unset|empty|missing|void|tbd|todo|true|false|sha|commit|\[\]|\{\}|''|""))
    |(?P<zeros>0{7,})
    |(?P<ref>refs/(?!tags/).*)
    |(?P<error>(?i:fatal|error|warning|usage|hint)\s*:.*|\S*sh:\s.*|git:\s.*|'git'\s.*
        |.*(?:not\ a\ git\ repository|command\ not\ found|No\ such\ file\ or\ directory).*)
    |(?P<sheet_error>\#(?:NAME|REF|VALUE|N/A|DIV/0|NUM|NULL|BEZUG|WERT)[?!]?|\#{3,})
    |(?P<rounded>\d(?:[.,]\d+)?[eE]\+\d+)
"""


def pattern(*parts: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{''.join(parts)})\s*\Z", re.VERBOSE | re.ASCII)


NO_NAME = pattern(GIT_COMMAND, VARIABLE, NOTHING)
NO_BRANCH = pattern(COMMAND, VARIABLE, NOTHING, CHECKED_OUT)
NO_COMMIT = pattern(COMMAND, VARIABLE, NOTHING, CHECKED_OUT, NO_SHA)
# A team without versions has to send something there.
NO_VERSION = pattern(COMMAND, VARIABLE, r"|(?P<nothing>(?i:null|undefined))")

# What names a deploy, by the schema.
NAMES = {
    "register_deploy": {"sha": NO_COMMIT, "environment": NO_NAME, "branch": NO_BRANCH},
    "register_manual_deploy": {"environment": NO_NAME},
    "terraform_notification": {"sha": NO_COMMIT, "environment": NO_NAME},
    "sweetr_deployment": {
        "repositoryFullName": NO_NAME,
        "environment": NO_NAME,
        "app": NO_NAME,
        "version": NO_VERSION,
        "commitHash": NO_COMMIT,
    },
}

# What the text is, and what to do.
WORDS = {
    "command": ("which is a command", "send what it prints"),
    "variable": ("which is the name of a variable", "send its value"),
    "nothing": ("which names nothing", "send {wanted}"),
    "word": ("which names nothing", "send {wanted}"),
    "head": ("which git calls whatever is checked out", "send {wanted}"),
    "zeros": ("which is git's word for no commit", "send {wanted}"),
    "ref": ("which names a branch", "send {wanted}"),
    "error": ("which is the message of an error", "send {wanted}"),
    "sheet_error": ("which is an error of a spreadsheet", "send {wanted}"),
    "rounded": ("which looks like a number that a spreadsheet rounded", "send {wanted}"),
}
WANTED = {
    "sha": "the sha of a commit or a tag",
    "commitHash": "the sha of the commit",
    "environment": "the name of an environment",
    "branch": "the name of the branch, or leave it out",
    "app": "the name of the application",
    "version": "the version's name",
    "repositoryFullName": "owner/name",
}


# The names of environments and branches come again.
@lru_cache(1_000)
def find_nameless(kind: re.Pattern[str], text: str) -> re.Match[str] | None:
    return kind.match(text) or ANYWHERE.search(text)


def what_it_is(field: str, found: re.Match[str]) -> str:
    """``sha is '$GIT_COMMIT', which is the name of a variable``."""
    text = printable(shortened(found.string.strip(), SHOWN))
    return f"{field} is '{text}', {WORDS[found.lastgroup or ''][0]}"


def nameless(field: str, found: re.Match[str]) -> InvalidField:
    advice = WORDS[found.lastgroup or ""][1].format(wanted=WANTED[field])
    return InvalidField(f"{what_it_is(field, found)}: {advice}.")


def plain_branch(branch: str) -> str:
    """Without what CI systems write before it. git has no branches of these names."""
    return branch.removeprefix("refs/heads/").removeprefix("refs/remotes/origin/")
