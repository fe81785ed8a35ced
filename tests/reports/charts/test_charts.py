from __future__ import annotations

from reports import charts

STYLE = charts.STYLES["sme"]


def dots(**fields):
    given = {
        "label": "SME",
        "style": STYLE,
        "early": -3,
        "p50": 10,
        "p75": 20,
        "p90": 40,
        "hovers": ("half", "most", "nearly all"),
        "url": "/invoices/?type=1",
    }
    return charts.Dots(**{**given, **fields})


def drawn(figure):
    return [trace for trace in figure["data"] if trace.get("customdata")]


def test_a_percentile_that_is_not_reached_is_written_and_not_drawn():
    figure = charts.percentiles(
        [dots(p90=None, note="9 in 10 not reached")], title="Days", from_due=True
    )
    assert [list(trace["x"]) for trace in drawn(figure)] == [[10], [20]]
    assert figure["layout"]["annotations"][0]["text"] == "9 in 10 not reached"


def test_labels_that_would_cover_each_other_are_left_to_the_hover():
    figure = charts.percentiles([dots(p50=10, p75=11)], title="Days", from_due=True)
    assert [trace["mode"] for trace in drawn(figure)] == [
        "markers+text",
        "markers",
        "markers+text",
    ]


def test_nothing_to_draw_is_an_empty_figure_and_no_error():
    assert charts.percentiles([], title="Days", from_due=True)["data"] == []
    assert charts.survival([], title="Days", span=(-25, 90), from_due=True)["data"] == []
    assert charts.distribution([], [])["data"] == []
    assert charts.small_multiples([], []) == {}


def test_groups_without_payments_have_a_line_of_words_only():
    row = dots(early=None, p50=None, p75=None, p90=None, note="too few payments")
    figure = charts.percentiles([row], title="Days", from_due=False)
    assert figure["data"] == []
    assert figure["layout"]["annotations"][0]["text"] == "too few payments"


def test_shares_too_small_for_their_number_are_drawn_without_it():
    band = charts.Band("Late", "var(--seq-2)", "var(--seq-2-ink)", [3.0, 40.0], [3, 40], ["a", "b"])
    (bar,) = charts.distribution(["A", "B"], [band])["data"]
    assert list(bar["text"]) == ["", "40"]
    assert list(bar["customdata"]) == ["a", "b"]


def test_a_trend_breaks_where_nothing_is_known_and_ghosts_are_not_clickable():
    one = charts.Trend("0", "SME", STYLE, [3, None, 9], ["a", "b", "c"], ["u", "v", "w"])
    two = charts.Trend("1", "Public", charts.PLAIN, [1, 2, 3], ["a", "b", "c"], ["u", "v", "w"])
    figures = charts.small_multiples([one, two], ["Mar", "Jun", "Sep"])
    ghost, line = figures["trend-0"]["data"]
    assert "customdata" not in ghost
    assert list(line["y"]) == [3, None, 9]
    assert list(line["text"]) == ["3", "", "9"]


def test_names_cannot_bring_markup_into_a_chart():
    assert charts.short("<a href='x'>&amp;") == "‹a href='x'›＆amp;"
    assert len(charts.short("x" * 99)) == 22


def test_the_ageing_bar_has_its_signs_on_the_ticks_and_no_title_over_them():
    band = charts.Band("x", "var(--seq-1)", "var(--seq-1-ink)", [100.0], [1], [""])
    axis = charts.ageing_bar([band])["layout"]["xaxis"]
    assert axis["title"]["text"] == ""
    assert axis["ticktext"][2].endswith("%")


def test_long_names_stand_above_their_rows_where_the_box_is_narrow():
    name = "Centre hospitalier de Saint-Guénaël-des-Bois"
    figure = charts.percentiles([dots(label=name), dots()], title="Days", from_due=True)
    narrow = figure["layout"]["meta"]["narrow"]
    assert [each["text"] for each in narrow["annotations"]] == [name, "SME"]
    assert narrow["yaxis"]["showticklabels"] is False
    assert narrow["height"] > 100
    assert "meta" not in charts.percentiles([dots()], title="Days", from_due=True)["layout"]
