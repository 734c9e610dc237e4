"""How many processors the service may keep busy, and what memory is left, in containers of either kind or none."""

import os
from pathlib import Path

import pytest

from service.hashing.cpu_budget import _affinity, cpu_budget, free_memory, with_large_pages

_AFFINITY = 6


@pytest.fixture(autouse=True)
def affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(_AFFINITY)), raising=False)


def _tree(top: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(content)
    return top / "cgroup"


@pytest.mark.parametrize(
    ("own", "files", "budget"),
    [
        pytest.param("", {}, 6, id="no groups at all"),
        pytest.param("0::/\n", {"cgroup/cpu.max": "200000 100000\n"}, 2, id="v2 container"),
        pytest.param("0::/\n", {"cgroup/cpu.max": "max 100000\n"}, 6, id="v2 without a quota"),
        pytest.param("0::/\n", {"cgroup/cpu.max": "150000 100000\n"}, 1, id="rounded down"),
        pytest.param("0::/\n", {"cgroup/cpu.max": "10000 100000\n"}, 1, id="at least one"),
        pytest.param("0::/\n", {"cgroup/cpu.max": "1600000 100000\n"}, 6, id="affinity is smaller"),
        pytest.param("0::/\n", {"cgroup/cpu.max": "200000 50000\n"}, 4, id="another period"),
        pytest.param(
            "0::/a/b\n", {"cgroup/a/b/cpu.max": "max 100000", "cgroup/a/cpu.max": "300000 100000"}, 3, id="quota above"
        ),
        pytest.param(
            "0::/a/b\n", {"cgroup/a/b/cpu.max": "200000 100000", "cgroup/a/cpu.max": "300000 100000"}, 2, id="smallest"
        ),
        pytest.param("0::/host/path\n", {"cgroup/cpu.max": "200000 100000"}, 2, id="path of the host"),
        pytest.param("0::/../a\n", {"cgroup/cpu.max": "200000 100000"}, 2, id="path outside of the namespace"),
        pytest.param(
            "4:cpu,cpuacct:/a\n1:name=systemd:/a\n0::/\n",
            {"cgroup/cpu/a/cpu.cfs_quota_us": "250000\n", "cgroup/cpu/a/cpu.cfs_period_us": "100000\n"},
            2,
            id="v1",
        ),
        pytest.param(
            "4:cpu,cpuacct:/docker/x\n",
            {"cgroup/cpu/cpu.cfs_quota_us": "300000\n", "cgroup/cpu/cpu.cfs_period_us": "100000\n"},
            3,
            id="v1 container",
        ),
        pytest.param(
            "4:cpu,cpuacct:/a\n",
            {"cgroup/cpu/a/cpu.cfs_quota_us": "-1\n", "cgroup/cpu/a/cpu.cfs_period_us": "100000\n"},
            6,
            id="v1 without a quota",
        ),
        pytest.param("4:cpuset:/a\n", {"cgroup/cpu/a/cpu.cfs_quota_us": "1\n"}, 6, id="another controller"),
        pytest.param("0::/\n", {"cgroup/cpu.max": "nonsense\n"}, 6, id="nonsense"),
        pytest.param("0::/\n", {"cgroup/cpu.max": "100000 0\n"}, 6, id="no period"),
        pytest.param("0::/\n", {"cgroup/cpu.max": ""}, 6, id="empty"),
        pytest.param("nonsense\n", {"cgroup/cpu.max": "200000 100000"}, 2, id="unreadable list"),
    ],
)
def test_the_budget_is_the_smaller_of_affinity_and_quota(
    tmp_path: Path, own: str, files: dict[str, str], budget: int
) -> None:
    """Quotas of our group and of those above it count, in v1 and v2; at least one processor is left."""
    own_groups = tmp_path / "own"
    own_groups.write_text(own)

    assert cpu_budget(_tree(tmp_path, files), own_groups=own_groups) == budget


def test_a_system_without_affinity_counts_its_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every system can say the affinity; one that can say nothing has one processor."""
    monkeypatch.delattr(os, "sched_getaffinity")

    for known, budget in ((4, 4), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=known: count)
        assert cpu_budget(tmp_path, own_groups=tmp_path / "none") == budget


@pytest.mark.parametrize(
    ("own", "files", "free"),
    [
        pytest.param("", {}, 900, id="no groups at all"),
        pytest.param("0::/\n", {"cgroup/memory.max": "409600\n", "cgroup/memory.current": "102400\n"}, 300, id="v2"),
        pytest.param("0::/\n", {"cgroup/memory.max": "max\n", "cgroup/memory.current": "102400\n"}, 900, id="no limit"),
        pytest.param(
            "0::/\n",
            {
                "cgroup/memory.max": "409600",
                "cgroup/memory.current": "409600",
                "cgroup/memory.stat": "anon 1\ninactive_file 51200\nactive_file 1\n",
            },
            50,
            id="inactive page cache",
        ),
        pytest.param("0::/\n", {"cgroup/memory.max": "1024", "cgroup/memory.current": "2048"}, 0, id="over it"),
        pytest.param(
            "0::/a/b\n", {"cgroup/a/memory.max": "204800", "cgroup/a/memory.current": "102400"}, 100, id="above"
        ),
        pytest.param(
            "4:memory:/a\n",
            {
                "cgroup/memory/a/memory.limit_in_bytes": "409600",
                "cgroup/memory/a/memory.usage_in_bytes": "204800",
                "cgroup/memory/a/memory.stat": "inactive_file 0\ntotal_inactive_file 102400\n",
            },
            200,
            id="v1",
        ),
    ],
)
def test_free_memory_is_the_least_of_host_and_groups(
    tmp_path: Path, own: str, files: dict[str, str], free: int
) -> None:
    """What a group may still take counts though the host has more; files that can be forgotten are free."""
    own_groups, host = tmp_path / "own", tmp_path / "meminfo"
    own_groups.write_text(own)
    host.write_text("MemTotal:  2000 kB\nMemAvailable:   900 kB\n")

    assert free_memory(_tree(tmp_path, files), own_groups=own_groups, host=host) == free


def test_memory_without_a_figure_is_unknown(tmp_path: Path) -> None:
    """Systems without these files have no figure, which is not the same as none free."""
    nowhere = tmp_path / "none"

    assert free_memory(nowhere, own_groups=nowhere, host=nowhere) is None


def test_this_machine_has_a_budget() -> None:
    """Whatever this runs on, there is at least one processor, and never more than the affinity gives."""
    assert 1 <= cpu_budget() <= _affinity()


def test_hashing_asks_for_large_pages_unless_the_operator_chose_otherwise() -> None:
    """The service's processes are started with glibc's tunable; one that is set already stays as it is."""
    plain = with_large_pages({"PATH": "/bin"})
    chosen = with_large_pages({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"})

    assert plain == {"PATH": "/bin", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    assert chosen == {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}
