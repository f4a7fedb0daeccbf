"""A TypeScript client made from the API's description: what is spelled right compiles alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from chainbeasts.backend.api.app import routed
from chainbeasts.backend.chain.seasons import load_profile, season_table
from chainbeasts.backend.chain.toolchain import find_node
from chainbeasts.backend.resources import node_modules_dirs

GENERATOR = "openapi-typescript/bin/cli.js"
COMPILER = "typescript/bin/tsc"

USES = """
import type { components, paths } from "./api";
type Answer<P extends keyof paths> = paths[P] extends
  { get: { responses: { 200: { content: { "application/json": infer A } } } } } ? A : never;
declare const season: Answer<"/v1/season">;
declare const match: Answer<"/v1/matches/{match_id}">;
declare const problem: components["schemas"]["Problem"];
declare const live: components["schemas"]["Live"];
declare const activity: Answer<"/v1/activity">;
"""

RIGHT = """
export const gain: number = season.rules.block_gain;
export const cost: string = season.economics.base_cost;
export const cap: number | undefined = match.rules?.block_cap;
export const bond: string = season.arena.record_bond;
export const code: "not_found" | string = problem.code;
export const mark: string | null | undefined = live.id;
export const names: string[] = activity.items.flatMap((one) => one.beasts.map(({ name }) => name));
"""

WRONG = {
    "a misspelt constant": "season.rules.blok_gain",
    "a constant of another table": "season.schedule.base_cost",
    "an amount taken for a number": "season.economics.base_cost * 2",
    "a code that there is not": 'problem.code === "no_beast"',
    "a field that there is not": "activity.items[0]!.beast",
}


def run(folder: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = next(found for one in node_modules_dirs() if (found := one / tool).is_file())
    return subprocess.run(
        [str(find_node()), str(path), *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated types, and a file for each use of them."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(routed().openapi()))
    made = run(folder, GENERATOR, "openapi.json", "--output", "api.d.ts")
    assert made.returncode == 0, made.stdout + made.stderr
    (folder / "right.ts").write_text(USES + RIGHT)
    for number, wrong in enumerate(WRONG.values()):
        (folder / f"wrong{number}.ts").write_text(f"{USES}export const found = {wrong};\n")
    return folder


def test_what_is_spelled_right_compiles_and_what_is_not_does_not(client: Path) -> None:
    files = sorted(path.name for path in client.glob("*.ts") if path.name != "api.d.ts")
    done = run(client, COMPILER, "--noEmit", "--strict", "--target", "es2022", *files)
    complaints = {line.split("(")[0] for line in done.stdout.splitlines() if ": error TS" in line}
    expected = {f"wrong{number}.ts" for number in range(len(WRONG))}
    assert complaints == expected, done.stdout + done.stderr


def test_constants_are_the_seasons() -> None:
    schemas = routed().openapi()["components"]["schemas"]
    season = load_profile("devnet").season
    for part, values in season_table(season).items():
        name = schemas["Season"]["properties"][part]["$ref"].rpartition("/")[2]
        assert list(schemas[name]["properties"]) == list(values)
        assert set(schemas[name]["required"]) == set(values)
