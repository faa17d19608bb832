"""Downloads against a portal on this machine."""

import csv
import datetime as dt
import hashlib
import json
import socket
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy_opt.errors import InputError, OfflineError
from deploy_opt.inputs.download import fetch, list_recipes, load_recipe
from deploy_opt.inputs.fetch import http_files
from deploy_opt.inputs.fetch.download_recipes import fill, is_allowed
from deploy_opt.inputs.fetch.http_files import Asked, fetch_file

HEADER = ["id", "at", "note"]


class TinyPortal:
    """A portal of 23 calls that can be told to misbehave."""

    def __init__(self):
        self.rows = [
            [str(i), f"2024-01-{1 + i:02d}T05:00:00", f'said "{i}",\nloud'] for i in range(23)
        ]
        self.asked = []
        self.faults = {}
        portal = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                portal.asked.append(self.path)
                parts = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(parts.query))
                fault = portal.fault(query)
                if callable(fault):
                    fault(self, portal, query)
                else:
                    portal.answer(self, parts.path, query)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def fault(self, query):
        waiting = self.faults.get(query.get("$offset", query.get("resultOffset", "count")), [])
        return waiting.pop(0) if waiting else None

    def chosen(self, query):
        rows = self.rows
        if "$where" in query:
            since = query["$where"].split("'")[1]
            rows = [row for row in rows if row[1] >= since[:19]]
        return rows

    def answer(self, handler, path, query):
        if path.endswith("/query"):
            send(handler, self.arcgis(query), "application/json")
        elif path.endswith(".json"):
            body = json.dumps([{"num_rows": str(len(self.chosen(query)))}]).encode()
            send(handler, body, "application/json")
        elif path.endswith(".csv") and "$offset" in query:
            send(handler, self.page(query), "text/csv; charset=utf-8")
        else:
            send(handler, b"whole,file\n1,2\n", "text/csv")

    def page(self, query, header=HEADER):
        assert query["$order"] == ":id"
        first = int(query["$offset"])
        return as_csv([header, *self.chosen(query)[first : first + int(query["$limit"])]])

    def arcgis(self, query):
        if "returnCountOnly" in query:
            return json.dumps({"count": 3}).encode()
        first = int(query["resultOffset"])
        features = [
            {"attributes": {"call": "a,b", "called_at": 86_400_000 * i, "empty": None}}
            for i in range(first, min(3, first + int(query["resultRecordCount"])))
        ]
        names = {"call": "String", "called_at": "Date", "empty": "Integer"}
        fields = [{"name": n, "type": f"esriFieldType{t}"} for n, t in names.items()]
        return json.dumps({"fields": fields, "features": features}).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def as_csv(rows):
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def send(handler, body, kind, code=200, length=None, more=()):
    handler.send_response(code)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in more:
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def broken(code, body=b"busy", more=()):
    return lambda handler, portal, query: send(handler, body, "text/plain", code, more=more)


def cut(handler, portal, query):
    body = portal.page(query)
    send(handler, body[: len(body) // 2], "text/csv", length=len(body))
    handler.close_connection = True


def renamed(handler, portal, query):
    send(handler, portal.page(query, ["id", "when", "note"]), "text/csv")


def short(handler, portal, query):
    fewer = query | {"$limit": str(int(query["$limit"]) - 1)}
    send(handler, portal.page(fewer), "text/csv")


@pytest.fixture
def portal():
    portal = TinyPortal()
    yield portal
    portal.close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    waits = []
    monkeypatch.setattr(http_files.time, "sleep", waits.append)
    return waits


def take(portal, folder, recipe="nyc_ems", **options):
    return fetch(recipe, folder, base_url=portal.url, page_rows=5, **options)


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def visible(folder):
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))


def test_several_pages_become_one_file_with_one_header_and_a_record(portal, tmp_path):
    seen = []
    got = take(
        portal, tmp_path / "Akten ü", progress=lambda done, total: seen.append((done, total))
    )
    assert rows_of(got.file) == [HEADER, *portal.rows]
    assert seen == [(5, 23), (10, 23), (15, 23), (20, 23), (23, 23)]
    record = json.loads(got.record.read_text("utf-8"))
    assert record["rows"] == got.num_rows == 23
    assert record["sha256"] == hashlib.sha256(got.file.read_bytes()).hexdigest() == got.sha256
    assert record["licence"] == load_recipe("nyc_ems").licence
    assert sorted(got.file.parent.iterdir()) == [got.file, got.record]
    assert urllib.parse.unquote(portal.asked[-1]).endswith("$order=:id&$limit=3&$offset=20")


def test_a_page_size_that_divides_the_rows_asks_for_no_empty_page(portal, tmp_path):
    portal.rows = portal.rows[:10]
    assert take(portal, tmp_path).num_rows == 10
    assert len(portal.asked) == 3


def test_since_is_asked_of_the_portal_and_stands_in_the_record(portal, tmp_path):
    got = take(portal, tmp_path, since=dt.date(2024, 1, 20))
    assert rows_of(got.file)[1:] == portal.rows[19:]
    assert json.loads(got.record.read_text("utf-8"))["since"] == "2024-01-20"


def test_a_trial_stops_at_the_row_limit(portal, tmp_path):
    assert rows_of(take(portal, tmp_path, max_rows=7).file) == [HEADER, *portal.rows[:7]]


def test_a_500_then_a_good_answer_is_tried_again_after_a_pause(portal, tmp_path, no_waiting):
    portal.faults = {"5": [broken(500), broken(503)]}
    assert take(portal, tmp_path).num_rows == 23
    assert no_waiting == [1.0, 2.0]


def test_a_busy_portal_says_how_long_to_wait(portal, tmp_path, no_waiting):
    portal.faults = {
        "0": [broken(429, more=[("Retry-After", "7")])],
        "5": [broken(429, more=[("Retry-After", "7200")])],
    }
    take(portal, tmp_path)
    assert no_waiting == [7.0, 60.0]


def test_a_portal_that_stays_broken_ends_in_one_line_and_keeps_its_pages(portal, tmp_path):
    portal.faults = {"10": [broken(502)] * 5}
    with pytest.raises(InputError, match=r"502 .* 5 times.*finished pages are kept"):
        take(portal, tmp_path)
    assert visible(tmp_path) == []
    asked = len(portal.asked)
    assert rows_of(take(portal, tmp_path).file) == [HEADER, *portal.rows]
    assert len(portal.asked) - asked == 1 + 3


def test_a_refusal_is_not_tried_again_and_is_quoted(portal, tmp_path, no_waiting):
    portal.faults = {"count": [broken(400, b'{"message": "no such column"}')]}
    with pytest.raises(InputError, match=r"400 Bad Request: .*no such column"):
        take(portal, tmp_path)
    assert no_waiting == []
    assert list(tmp_path.iterdir()) == []


def test_a_changed_header_drops_the_pages_and_leaves_no_file(portal, tmp_path):
    portal.faults = {"10": [renamed]}
    with pytest.raises(
        InputError, match=r"page 3: found another header \(without at; with new when\)"
    ):
        take(portal, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cut_connection_is_tried_again_then_taken_up_by_the_next_call(portal, tmp_path):
    portal.faults = {"15": [cut] * 5}
    with pytest.raises(InputError, match="cut answer"):
        take(portal, tmp_path)
    assert visible(tmp_path) == []
    asked = len(portal.asked)
    got = take(portal, tmp_path)
    assert rows_of(got.file) == [HEADER, *portal.rows]
    assert len(portal.asked) - asked == 1 + 2
    assert visible(tmp_path) == ["nyc_ems.csv", "nyc_ems.csv.source.json"]
    assert len(list(tmp_path.iterdir())) == 2


def test_pages_of_another_question_are_not_reused(portal, tmp_path):
    portal.faults = {"10": [broken(404)]}
    with pytest.raises(InputError, match="404"):
        take(portal, tmp_path)
    portal.rows.append(["23", "2024-01-24T05:00:00", "new"])
    asked = len(portal.asked)
    assert take(portal, tmp_path).num_rows == 24
    assert len(portal.asked) - asked == 1 + 5


def test_a_page_damaged_on_disk_is_fetched_again(portal, tmp_path):
    portal.faults = {"10": [broken(404)]}
    with pytest.raises(InputError):
        take(portal, tmp_path)
    page = tmp_path / ".nyc_ems.csv.pages" / "page_000000000005.csv"
    page.write_bytes(page.read_bytes()[:-4])
    assert rows_of(take(portal, tmp_path).file) == [HEADER, *portal.rows]


def test_a_damaged_note_starts_afresh(portal, tmp_path):
    portal.faults = {"10": [broken(404)]}
    with pytest.raises(InputError):
        take(portal, tmp_path)
    (tmp_path / ".nyc_ems.csv.pages" / "pages.json").write_text("{")
    assert rows_of(take(portal, tmp_path).file) == [HEADER, *portal.rows]


def test_a_page_with_too_few_rows_is_refused(portal, tmp_path):
    portal.faults = {"5": [short]}
    with pytest.raises(InputError, match="page 2: found 4 rows, expected 5"):
        take(portal, tmp_path)
    assert visible(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<html>sign in</html>", "text/html", "a web page"),
        (b"id,at,note\n1,2\n", "text/csv", "2 cells on line 2"),
        (b"\xff\xfe\x00", "text/csv", "no CSV"),
        (b'"i\nd",at,note\n1,2,3\n', "text/csv", "a header over two lines"),
    ],
)
def test_an_answer_that_is_no_page_of_data_is_refused(portal, tmp_path, body, kind, said):
    portal.faults = {"0": [lambda handler, *_: send(handler, body, kind)]}
    with pytest.raises(InputError, match=said):
        take(portal, tmp_path)
    assert visible(tmp_path) == []


@pytest.mark.parametrize("body", [b"[]", b'[{"num_rows": "many"}]', b"not json"])
def test_an_unreadable_row_count_is_refused(portal, tmp_path, body):
    portal.faults = {"count": [lambda handler, *_: send(handler, body, "application/json")]}
    with pytest.raises(InputError, match="download nyc_ems"):
        take(portal, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_rows_since_the_day_is_said(portal, tmp_path):
    with pytest.raises(InputError, match=r"no rows.*earlier since"):
        take(portal, tmp_path, since=dt.date(2030, 1, 1))
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_message_says_where_to_put_the_file(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(OfflineError) as caught:
        fetch("seattle_fire", tmp_path, base_url=f"http://127.0.0.1:{port}")
    words = str(caught.value)
    assert "expected the network" in words
    assert "https://data.seattle.gov/d/kzjm-xkqj elsewhere" in words
    assert str(tmp_path / "seattle_fire.csv") in words
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_does_not_resolve_is_offline_after_two_tries(tmp_path, monkeypatch, no_waiting):
    def no_name(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    with pytest.raises(OfflineError, match=r"cannot reach data\.sfgov\.org"):
        fetch("sf_fire", tmp_path)
    assert len(no_waiting) == 1


def test_one_file_with_parameters_is_fetched_whole(portal, tmp_path):
    given = {"station": "USW00094728", "start": "2013-01-01", "end": "2013-12-31"}
    got = take(portal, tmp_path, "noaa_ghcn", parameters=given)
    assert got.file.name == "noaa_ghcn_USW00094728.csv"
    assert got.file.read_bytes() == b"whole,file\n1,2\n"
    assert got.num_rows is None
    assert "stations=USW00094728" in portal.asked[0]
    assert "endDate=2013-12-31" in portal.asked[0]


def test_the_roads_of_a_box_are_asked_of_openstreetmap(portal, tmp_path):
    box = {"south": "40.70", "west": "-74.02", "north": "40.88", "east": "-73.91"}
    got = take(portal, tmp_path, "osm_roads", parameters=box)
    assert got.file.name == "osm_roads.osm"
    (asked,) = portal.asked
    assert "%2840.70%2C-74.02%2C40.88%2C-73.91%29" in asked
    assert "out%3Axml" in asked


def test_an_empty_file_is_refused(portal, tmp_path):
    portal.faults = {"count": [lambda handler, *_: send(handler, b"", "text/csv")]}
    with pytest.raises(InputError, match="an empty answer"):
        take(portal, tmp_path, "montgomery_pa")
    assert list(tmp_path.iterdir()) == []


def test_an_arcgis_layer_becomes_csv_with_utc_times(portal, tmp_path):
    got = fetch("detroit", tmp_path, base_url=portal.url, page_rows=2)
    assert rows_of(got.file) == [
        ["call", "called_at", "empty"],
        ["a,b", "1970-01-01T00:00:00Z", ""],
        ["a,b", "1970-01-02T00:00:00Z", ""],
        ["a,b", "1970-01-03T00:00:00Z", ""],
    ]


@pytest.mark.parametrize("where", ["count", "0"])
def test_an_arcgis_error_inside_a_good_answer_is_quoted(portal, tmp_path, where):
    body = b'{"error": {"code": 400, "message": "Invalid URL"}}'
    portal.faults = {where: [lambda handler, *_: send(handler, body, "application/json")]}
    with pytest.raises(InputError, match="Invalid URL"):
        fetch("detroit", tmp_path, base_url=portal.url)
    assert visible(tmp_path) == []


def test_a_redirect_to_plain_http_elsewhere_is_not_followed(portal, tmp_path):
    away = broken(302, b"", [("Location", "http://203.0.113.7/x.csv")])
    portal.faults = {"count": [away] * 5}
    with pytest.raises(OfflineError, match="not https"):
        take(portal, tmp_path)


def test_a_redirect_on_this_machine_is_followed(portal, tmp_path):
    portal.faults = {"count": [broken(302, b"", [("Location", "/elsewhere.csv")])]}
    fetch_file(f"{portal.url}/a.csv", tmp_path / "a.csv", Asked("a", "b", "c"))
    assert (tmp_path / "a.csv").read_bytes() == b"whole,file\n1,2\n"


def test_a_file_over_the_limit_is_refused(portal, tmp_path, monkeypatch):
    monkeypatch.setattr(http_files, "MAX_BYTES", 4)
    with pytest.raises(InputError, match="over 8 GB"):
        take(portal, tmp_path, "montgomery_pa")
    assert list(tmp_path.iterdir()) == []


def test_only_https_or_this_machine_may_be_asked(tmp_path):
    assert is_allowed("https://data.example.org/x")
    assert is_allowed("http://127.0.0.1:8000")
    assert is_allowed("http://[::1]:8000")
    assert is_allowed("http://localhost")
    assert not is_allowed("http://data.example.org")
    assert not is_allowed("file:///etc/hosts")
    assert not is_allowed("http://127.0.0.1.example.org")
    with pytest.raises(InputError, match="https, or http on this machine"):
        fetch("nyc_ems", tmp_path / "new", base_url="http://data.example.org")
    assert not (tmp_path / "new").exists()
    with pytest.raises(InputError, match="https, or http on this machine"):
        fetch_file("ftp://a/b", tmp_path / "x", Asked("a", "b", "c"))


def test_every_shipped_recipe_can_be_filled_in_with_its_examples():
    recipes = list_recipes()
    assert {"nyc_ems", "seattle_spd", "seattle_fire", "sf_fire", "new_orleans", "detroit"} <= {
        recipe.name for recipe in recipes
    }
    for recipe in recipes:
        examples = {name: parameter.example for name, parameter in recipe.parameters.items()}
        source = fill(recipe, parameters=examples)
        assert source.address.startswith("https://")
        assert "{" not in source.address + source.file_name + "".join(source.query.values())
        assert source.file_name.endswith((".csv", ".osm"))
        assert recipe.licence


def test_a_year_chooses_its_own_data_set(portal, tmp_path):
    got = take(portal, tmp_path, "new_orleans", parameters={"year": "2019"})
    assert got.file.name == "new_orleans_2019.csv"
    assert all("/resource/qf6q-pp4b." in path for path in portal.asked)
    with pytest.raises(InputError, match="'1999', expected 2011"):
        take(portal, tmp_path, "new_orleans", parameters={"year": "1999"})


def test_every_wrong_parameter_is_named_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        fetch(
            "noaa_ghcn",
            tmp_path,
            parameters={"statoin": "x", "start": "../../etc"},
            since=dt.date(2020, 1, 1),
        )
    words = [str(fault) for fault in caught.value.faults]
    assert any("'statoin'" in line and "did you mean 'station'" in line for line in words)
    assert any("'../../etc'" in line for line in words)
    assert any("give station=USW00094728" in line for line in words)
    assert any("give end=" in line for line in words)
    assert any("since: found 2020-01-01" in line for line in words)


@pytest.mark.parametrize("options", [{"page_rows": 0}, {"max_rows": 0}])
def test_a_row_limit_below_one_is_refused(tmp_path, options):
    with pytest.raises(InputError, match="at least 1"):
        fetch("nyc_ems", tmp_path, **options)


def test_one_file_takes_no_row_limit(tmp_path):
    with pytest.raises(InputError, match="in one piece"):
        fetch("montgomery_pa", tmp_path, max_rows=5)


def test_an_unknown_recipe_gets_the_nearest_name():
    with pytest.raises(InputError, match="did you mean 'nyc_ems'"):
        load_recipe("nyc_emss")


def test_a_recipe_of_your_own_is_read_from_a_file(portal, tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text(
        "title: Mine\nkind: file\nportal: https://example.org\npath: /a.csv\nlicence: own\n"
    )
    assert take(portal, tmp_path, str(own)).file.name == "mine.csv"


@pytest.mark.parametrize(
    ("text", "said"),
    [("title: x\nportals: y", "portals"), ("- a", "YAML mapping"), ("a: [", "YAML mapping")],
)
def test_a_faulty_recipe_file_is_refused_with_its_key(tmp_path, text, said):
    own = tmp_path / "mine.yaml"
    own.write_text(text)
    with pytest.raises(InputError, match=said):
        load_recipe(str(own))


def test_a_missing_recipe_file_is_said():
    with pytest.raises(InputError, match="no such file"):
        load_recipe("nowhere.yaml")
