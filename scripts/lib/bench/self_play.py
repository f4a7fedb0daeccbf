"""What would mend self-play: the same source, but no match is followed for more than a few words.

An experiment outside the protocol: its runs are no valid windows.
"""

from __future__ import annotations

from backend.graph_cache.build import build
from backend.kernel import samples
from backend.kernel.constants import WINDOW_STEPS
from backend.kernel.native.graph import Graph
from backend.kernel.samples import Source
from backend.kernel.state import State
from backend.kernel.window import genesis_state, open_window
from scripts.lib.bench.beasts import ALL_AWAKE, BEAST, RULES, WINDOWS, Birth, context

MOST_WORDS = (4, 2)
"""Words of one match that are trained on before the next step starts afresh."""


def train_shortened(birth: Birth, most_words: int) -> State:
    """A beast after the usual number of self-play windows with shortened matches."""
    kernel = build(Graph(ALL_AWAKE)).kernel
    state = genesis_state(BEAST, birth.dna)
    for window in range(WINDOWS):
        ctx = context(birth, window, Source.CURRICULUM)  # the words below are given, not drawn
        state = open_window(state, ALL_AWAKE)
        seed = samples.window_seed(birth.dna, state.header.parent)
        arena = trained = 0
        for _ in range(WINDOW_STEPS):
            step = state.header.global_step
            word = samples.self_play_word(seed, step, arena, RULES)
            traces = kernel.learn(ctx, state, [word], traced=True)
            assert traces is not None
            logits = traces.rows[0]["logits"].tolist()
            trained += 1
            arena = samples.play_on(word, logits, seed, step, RULES)
            if arena == 0 or trained >= most_words:
                arena = trained = 0
    return state
