"""All ops. A family is imported when the first of its ops is asked for: most runs need few of them."""

from __future__ import annotations

from gradspec.ops.registry import Op, registry

__all__ = ["FAMILIES", "Op", "registry"]

# Module → its ops, in the order of `gradspec ops`.
FAMILIES = {
    "unary": "abs neg positive exp log sin cos tanh sigmoid sqrt square reciprocal sign sgn",
    "binary": (
        "add sub mul div remainder number_remainder floor_divide pow maximum minimum fmax fmin clamp where"
    ),
    "exponential": "rsqrt expm1 exp2 log1p log2 log10 logit logaddexp float_power",
    "trigonometry": "tan asin acos atan sinh cosh asinh acosh atanh sinc atan2 hypot",
    "special": "erf erfc erfinv lgamma digamma polygamma",
    "rounding": "floor ceil trunc round frac fmod copysign heaviside nextafter nan_to_num nan_to_num_parts",
    "logical": "logical_not logical_and logical_or logical_xor",
    "compare": "eq ne lt le gt ge",
    "creation": "zeros_like ones_like new_zeros clone contiguous contiguous_clone detach to_copy to",
    "complex": (
        "conj conj_view real_part imag_part real imag view_as_real view_as_complex complex_view real_view"
    ),
    "polar": "angle complex polar",
    "reduce": "sum mean prod var std amax amin argmax argmin logsumexp cumsum",
    "totals": "nansum nanmean any all trace",
    "sort": "sort argsort topk unique",
    "order": (
        "max max_all max_dim min min_all min_dim kthvalue median median_all median_dim nanmedian "
        "nanmedian_all nanmedian_dim mode quantile quantile_between quantile_first quantile_rank"
    ),
    "cumulative": "cummax cummin cumprod logcumsumexp",
    "shape": (
        "view unsafe_view reshape_alias alias reshape flatten unsqueeze squeeze squeeze_last expand "
        "permute transpose t T mT H flip tril triu cat stack split"
    ),
    "tiling": "repeat tile roll",
    "slicing": "unbind chunk narrow diagonal",
    "strided": "as_strided strided_view",
    "pad": "pad pad_border",
    "indexing": "select slice index __getitem__ where_indices gather",
    "lookup": "index_select take embedding",
    "scatter": "index_put index_add index_copy scatter scatter_add masked_fill",
    "linalg": "dot vdot mv mm bmm addmm matmul linear",
    "det": "inverse log_abs_det det_sign det linalg.det logdet",
    "fft": "fft_c2c fft_r2c fft.fft fft.ifft",
    "einsum": "einsum einsum_alone einsum_product",
    "activation": "relu softmax log_softmax softplus silu gelu dropout",
    "rectifier": "elu relu6 leaky_relu rrelu hardsigmoid softshrink",
    "norm": "linalg.vector_norm norm at_least normalize layer_norm",
    "loss": (
        "l1_loss mse_pairs mse_loss smooth_l1_pairs smooth_l1_loss huber_pairs huber_loss "
        "binary_cross_entropy_with_logits"
    ),
    "classes": "nll_rows nll_images nll_loss div_by mul_by add_by cross_entropy",
    "distance": "dist cdist_forward euclidean_dist cdist clone_at_least cosine_similarity",
    "recorded": (
        "index_get index_put_add index_write scatter_onto copy fill_all duplicate threshold_backward beside "
        "chosen"
    ),
}

registry.announce({f"{__name__}.{family}": names.split() for family, names in FAMILIES.items()})
