"""The model to train: its shape, and the parameters that follow from it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from planner.spec.base import Count, Entry, Form, NotNegative, Spec, Strings

Attention = Literal["mha", "mqa", "gqa", "mla"]
AtLeastZero = Annotated[int, Field(ge=0)]


class Mla(Spec):
    """Multi-head latent attention: ranks of the compressed query and key-value, and head widths."""

    q_lora: AtLeastZero
    """Rank of the query's latent; 0: the query is not compressed."""
    kv_lora: Count
    """Rank of the key-value latent."""
    qk_nope: Count
    """Width of a query or key head without position."""
    qk_rope: Count
    """Width of its rotary part."""
    v_head: Count
    """Width of a value head."""


class Moe(Spec):
    """Mixture of experts."""

    experts: Count
    """Routed experts of a layer."""
    topk: Count
    """Experts each token is sent to."""
    shared: AtLeastZero = 0
    """Shared experts every token passes."""
    expert_ffn: Count
    """FFN width of one routed expert."""
    shared_ffn: AtLeastZero = 0
    """FFN width of all shared experts together; 0: shared x expert_ffn."""
    layers: AtLeastZero = 0
    """How many layers are MoE; 0: all but the dense ones."""
    first_k_dense: AtLeastZero = 0
    """Leading dense layers."""
    dense_layers: AtLeastZero = 0
    """Dense layers interleaved between MoE ones."""

    @property
    def shared_width(self) -> int:
        """FFN width of all shared experts together."""
        return self.shared_ffn or self.shared * self.expert_ffn


class Hybrid(Spec):
    """Layers of several kinds: one letter a layer, M Mamba-2, E expert FFN, * attention, - dense FFN."""

    pattern: Annotated[str, Field(pattern=r"^[ME*\-]+$"), Form("text of the letters M, E, * and -")]
    """One letter a layer: M Mamba-2, E expert FFN, * attention, - dense FFN."""
    mamba_heads: Count
    """Heads of a Mamba-2 layer."""
    mamba_head_dim: Count
    """Width of one."""
    mamba_state: Count
    """State of each channel."""
    mamba_groups: Count = 1
    """Groups that share input and output projections of the state."""


class Published(Spec):
    """What the model's owner or an analyst published about it."""

    params_total: NotNegative = 0.0
    """All parameters."""
    params_active: NotNegative = 0.0
    """Parameters one token passes."""
    tokens: NotNegative = 0.0
    """Tokens it was trained on."""
    card_hours: NotNegative = 0.0
    """Card-hours of its training."""
    hardware: str = ""
    """What it was trained on."""
    mfu: NotNegative = 0.0
    """Model FLOP/s over the peak, as the source counts it."""
    training_flop: NotNegative = 0.0
    """FLOPs of its training."""
    carbon_t: NotNegative = 0.0
    """Carbon dioxide of its training, t."""


class Model(Entry):
    """A transformer (or Mamba hybrid) as shapes. All widths count elements, not bytes."""

    owner: str = ""
    """Who made it."""
    layers: Count
    """Layers, without those of multi-token prediction."""
    hidden: Count
    """Width of the residual stream."""
    ffn_hidden: AtLeastZero = 0
    """Width of the dense FFN."""
    gated: bool = True
    """The FFN has three matrices (SwiGLU, GeGLU) instead of two."""
    heads: Count
    """Query heads of an attention layer."""
    kv_heads: Count
    """Key and value heads of an attention layer."""
    head_dim: AtLeastZero = 0
    """Width of one query/key/value head; 0: hidden / heads (with MLA the latent widths decide)."""
    vocab: Count
    """Tokens of the vocabulary."""
    tied: bool = False
    """Input embedding and output head are one matrix."""
    attention: Attention = "gqa"
    """How keys and values are shared between heads: one each (mha), one for all (mqa), by groups, or latent (mla)."""
    mla: Mla | None = None
    window: AtLeastZero = 0
    """Tokens a sliding-window layer sees; 0: no window."""
    window_every: AtLeastZero = 1
    """The window is on every n-th layer; 1: on all."""
    full_every: AtLeastZero = 0
    """Instead of `window_every`: every n-th layer is full and the others windowed; 0: not used."""
    mtp_depth: AtLeastZero = 0
    """Multi-token-prediction layers, each with its own pass through the output head."""
    parallel_block: bool = False
    """Attention and FFN read the same input and share one residual addition."""
    moe: Moe | None = None
    hybrid: Hybrid | None = None
    max_sequence: AtLeastZero = 0
    """Longest context the model was made for."""
    unmodelled: str = ""
    """A part of this architecture the engine has no equations for; such a model is refused by name."""
    modelled_as: Strings = ()
    """Simplifications made to express it in these shapes."""
    published: Published = Published()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.attention == "mla" and self.mla is None:
            msg = "attention = 'mla' needs the table mla = {q_lora, kv_lora, qk_nope, qk_rope, v_head}"
            raise ValueError(msg)
        if self.attention != "mla" and self.mla:
            msg = f"the table mla is of latent attention, but attention = '{self.attention}': write 'mla'"
            raise ValueError(msg)
        if self.kv_heads != {"mha": self.heads, "mqa": 1}.get(self.attention, self.kv_heads):
            least = "one for each head" if self.attention == "mha" else "one for all heads"
            msg = f"attention = '{self.attention}' has {least}, but kv_heads = {self.kv_heads}: write 'gqa', or mend it"
            raise ValueError(msg)
        if self.attention != "mla" and self.heads % self.kv_heads:
            msg = f"heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})"
            raise ValueError(msg)
        if self.moe and self.moe.topk > self.moe.experts:
            msg = f"moe.topk ({self.moe.topk}) cannot exceed moe.experts ({self.moe.experts})"
            raise ValueError(msg)
        if self.hybrid and len(self.hybrid.pattern) != self.layers:
            msg = f"hybrid.pattern has {len(self.hybrid.pattern)} letters for {self.layers} layers"
            raise ValueError(msg)
        if self.dense_layers < 0:
            msg = f"moe.layers ({self.moe_layers}) exceeds layers ({self.layers})"
            raise ValueError(msg)
        if self.moe and self.moe_layers < 0:
            dense = self.moe.first_k_dense + self.moe.dense_layers
            msg = f"moe.first_k_dense + moe.dense_layers ({dense}) exceed layers ({self.layers})"
            raise ValueError(msg)
        if self.dense_layers and not self.ffn_hidden:
            msg = "ffn_hidden is needed: the model has dense FFN layers"
            raise ValueError(msg)
        return self

    @property
    def qk_dim(self) -> int:
        """Width of one query or key head."""
        if self.mla:
            return self.mla.qk_nope + self.mla.qk_rope
        return self.head_dim or self.hidden // self.heads

    @property
    def v_dim(self) -> int:
        """Width of one value head."""
        return self.mla.v_head if self.mla else self.qk_dim

    @property
    def attention_layers(self) -> int:
        """Layers with an attention core, without MTP layers."""
        return self.hybrid.pattern.count("*") if self.hybrid else self.layers

    @property
    def mamba_layers(self) -> int:
        """Mamba-2 layers."""
        return self.hybrid.pattern.count("M") if self.hybrid else 0

    @property
    def moe_layers(self) -> int:
        """Layers with routed experts, without MTP layers."""
        if self.moe is None:
            return 0
        if self.hybrid:
            return self.hybrid.pattern.count("E")
        return self.moe.layers or self.layers - self.moe.first_k_dense - self.moe.dense_layers

    @property
    def dense_layers(self) -> int:
        """Layers with a dense FFN."""
        return self.hybrid.pattern.count("-") if self.hybrid else self.layers - self.moe_layers

    @property
    def windowed_share(self) -> float:
        """Share of the attention layers that are windowed, 0 to 1."""
        if not self.window or not self.attention_layers:
            return 0.0
        if self.full_every:
            return 1.0 - (self.attention_layers // self.full_every) / self.attention_layers
        return 1.0 / max(self.window_every, 1)

    @property
    def attention_params(self) -> float:
        """Parameters of one attention layer's projections.

        Source: Megatron-LM `theoretical_memory_usage.py`; MLA from DeepSeek-V2 (arXiv 2405.04434).
        """
        q = self.heads * self.qk_dim
        if self.mla:
            m = self.mla
            query = self.hidden * m.q_lora + m.q_lora * q + m.q_lora if m.q_lora else self.hidden * q
            kv = self.hidden * (m.kv_lora + m.qk_rope) + m.kv_lora * self.heads * (m.qk_nope + m.v_head) + m.kv_lora
            return query + kv + self.heads * m.v_head * self.hidden
        kv = self.kv_heads * (self.qk_dim + self.v_dim)
        return self.hidden * (q + kv) + self.heads * self.v_dim * self.hidden

    @property
    def ffn_matrices(self) -> int:
        """Matrices of one FFN: three when gated, two when plain."""
        return 3 if self.gated else 2

    @property
    def mamba_params(self) -> float:
        """Parameters of one Mamba-2 layer. Source: Dao & Gu 2024 (arXiv 2405.21060), Megatron-LM `MambaMixer`."""
        if self.hybrid is None:
            return 0.0
        y = self.hybrid
        inner = y.mamba_heads * y.mamba_head_dim
        groups = y.mamba_groups * y.mamba_state
        projections = self.hidden * (2 * inner + 2 * groups + y.mamba_heads) + inner * self.hidden
        return projections + 4 * (inner + 2 * groups) + 3 * y.mamba_heads + inner

    @property
    def embedding_params(self) -> float:
        """Parameters of input embedding and output head together."""
        return self.vocab * self.hidden * (1 if self.tied else 2)

    @property
    def total_params(self) -> float:
        """All parameters, without MTP layers (as models publish them)."""
        return self._params(experts=self.moe.experts if self.moe else 0)

    @property
    def active_params(self) -> float:
        """Parameters one token passes, embeddings included."""
        return self._params(experts=self.moe.topk if self.moe else 0)

    def _params(self, experts: int) -> float:
        norms = 2 * self.hidden * self.layers + self.hidden
        total = self.attention_layers * self.attention_params + self.mamba_layers * self.mamba_params
        total += self.dense_layers * self.ffn_matrices * self.hidden * self.ffn_hidden
        if self.moe:
            width = experts * self.moe.expert_ffn + self.moe.shared_width
            total += self.moe_layers * self.hidden * (self.ffn_matrices * width + self.moe.experts)
        return total + self.embedding_params + norms
