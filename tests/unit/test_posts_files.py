import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.posts import read_posts


def written(tmp_path, text):
    file = tmp_path / "posts.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_row_may_end_in_more_empty_cells_than_the_header(tmp_path):
    posts = read_posts(written(tmp_path, "post_id,lon,lat\n1,4,52,, \n2,4.1,52\n"))
    assert posts["post_id"].tolist() == ["1", "2"]
    assert posts["lon"].tolist() == [4.0, 4.1]


def test_columns_without_a_name_are_no_trouble(tmp_path):
    posts = read_posts(written(tmp_path, "post_id,,lon,,lat\n1,a,4,b,52\n"))
    assert posts[["lon", "lat"]].to_numpy().tolist() == [[4.0, 52.0]]


def test_a_row_of_more_cells_than_the_header_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="line 3: found 4 cells, expected at most 3") as raised:
        read_posts(written(tmp_path, "post_id,lon,lat\n1,4,52\n2,4.1,52,Main St\n"))
    assert "\n" not in str(raised.value)


def test_a_missing_file_names_the_nearest(tmp_path):
    written(tmp_path, "x")
    with pytest.raises(InputError, match=r"no such file, .*did you mean 'posts.csv'"):
        read_posts(tmp_path / "post.csv")


def test_a_file_that_is_not_utf8_is_one_clear_line(tmp_path):
    file = tmp_path / "posts.csv"
    file.write_bytes(b"post_id,name,lon,lat\n1,Caf\xe9,4,52\n")
    with pytest.raises(
        InputError, match="line 2: found bytes that are not UTF-8, expected text in UTF-8"
    ):
        read_posts(file)
