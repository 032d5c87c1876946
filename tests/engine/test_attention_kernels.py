"""Attention beside kernels somebody timed alone: lengths, windows, narrow and latent heads, older software."""

import statistics

from tests.engine.floors import C, numbers, with_layout, with_shape, with_software

from planner.engine.inputs import ATTENTION_KERNELS, Inputs
from planner.engine.kernels import attention

# Benchmarks of the cuDNN front end (github.com/NVIDIA/cudnn-frontend, benchmark/*/results and artifacts): cuDNN 9.27 of
# September 2026, on A100 FlashAttention-2; on MI355X AITER as HipKittens timed it (arXiv 2511.08083). BF16. Card,
# batch, sequence, heads, width of queries, of values, window, milliseconds forward, backward; causal.
TIMED = [
    ("h200-sxm", 2, 2048, 64, 128, 128, 0, 0.257, 0.856),
    ("h200-sxm", 2, 8192, 64, 128, 128, 0, 3.357, 10.448),
    ("h200-sxm", 2, 32768, 64, 128, 128, 0, 56.813, 166.714),
    ("h200-sxm", 2, 8192, 128, 192, 128, 0, 8.588, 28.563),
    ("h200-sxm", 2, 8192, 128, 64, 64, 128, 0.515, 1.829),
    ("gb200-nvl72", 2, 4096, 64, 128, 128, 0, 0.417, 1.248),
    ("gb200-nvl72", 2, 8192, 64, 128, 128, 0, 1.410, 4.239),
    ("gb200-nvl72", 2, 32768, 64, 128, 128, 0, 22.086, 72.066),
    ("gb200-nvl72", 1, 8192, 128, 192, 128, 0, 1.800, 5.728),
    ("gb200-nvl72", 2, 8192, 64, 64, 64, 1024, 0.423, 0.998),
    ("gb200-nvl72", 2, 8192, 128, 64, 64, 128, 0.407, 0.918),
    ("gb300-nvl72", 2, 4096, 64, 128, 128, 0, 0.316, 1.129),
    ("gb300-nvl72", 2, 8192, 64, 128, 128, 0, 1.166, 3.872),
    ("gb300-nvl72", 2, 32768, 64, 128, 128, 0, 17.249, 59.273),
    ("gb300-nvl72", 2, 8192, 128, 64, 64, 128, 0.361, 0.861),
    ("a100-pcie-80", 2, 2048, 64, 128, 128, 0, 0.764, 2.438),
    ("a100-pcie-80", 2, 8192, 64, 128, 128, 0, 10.123, 31.745),
    ("a100-pcie-80", 2, 32768, 64, 128, 128, 0, 176.476, 489.447),
    ("mi355x", 16, 2048, 16, 128, 128, 0, 0.311, 1.088),
    ("mi355x", 16, 8192, 16, 128, 128, 0, 3.743, 10.611),
    ("mi355x", 16, 16384, 16, 128, 128, 0, 13.293, 39.800),
]


def one_kernel(card: str, batch: int, sequence: int, heads: int, qk: int, v: int, window: int) -> Inputs:
    x = with_layout(numbers(cluster__card=card), micro_batch=float(batch), sequence=float(sequence), tensor=1.0)
    shape = {"heads": float(heads), "qk_dim": float(qk), "v_dim": float(v)}
    return with_shape(x, **shape, window=float(window), windowed_share=1.0 if window else 0.0)


def slower(x: Inputs, forward_ms: float, backward_ms: float) -> float:
    """Predicted over measured time of both passes, launches left out."""
    return (sum(attention(x, C)) - 2 * C.attention_fixed) * 1e3 / (forward_ms + backward_ms)


def test_a_kernel_in_training_is_about_a_tenth_slower_than_alone() -> None:
    ratios = {row[:7]: slower(one_kernel(*row[:7]), *row[7:]) for row in TIMED}
    assert all(0.95 < ratio < 1.35 for ratio in ratios.values()), ratios
    assert 1.05 < statistics.median(ratios.values()) < 1.2


def test_older_software_on_blackwell() -> None:
    # The same benchmarks on B200 in 2025, 128 heads of 128, 8,192 tokens: cuDNN 9.13, FlashAttention-2.
    b200 = one_kernel("b200-sxm", 1, 8192, 128, 128, 128, 0)
    assert 0.95 < slower(with_software(b200, older_kernels=True), 1.877, 5.833) < 1.35
    flash2 = with_software(b200, attention_kernel=ATTENTION_KERNELS.index("flash2"))
    assert 0.95 < slower(flash2, 5.499, 17.288) < 1.35
