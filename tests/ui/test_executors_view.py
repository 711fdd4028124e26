"""The view of executors, in a browser: check, test, settings, and the local Dask cluster."""

from playwright.sync_api import Locator, expect

from tests.ui.lab_page import LONG_MS, LabPage


def card(lab: LabPage, name: str) -> Locator:
    """One executor's card."""
    return lab.page.locator(".cvl-Executors:visible").get_by_role("region", name=name, exact=True)


def test_an_executor_is_checked_set_and_tested(lab: LabPage) -> None:
    """From the sidebar; what the test dispatched can be opened, and the view is there again after a reload."""
    lab.show_sidebar()
    lab.sidebar.get_by_role("button", name="Show the executors").click()
    local = card(lab, "local")
    local.get_by_role("button", name="Check local").click()
    expect(local.get_by_role("img", name="Usable", exact=True)).to_be_visible(timeout=LONG_MS)
    expect(local.get_by_role("status").first).to_contain_text("places are free")

    local.get_by_text("Settings", exact=True).click()
    workers = local.get_by_label("workers", exact=True)
    workers.fill("none at all")
    local.get_by_role("button", name="Save settings").click()
    expect(local.get_by_role("alert")).to_contain_text("workers must be a whole number")
    workers.fill("3")
    local.get_by_role("button", name="Save settings").click()
    expect(local.get_by_text("Saved.")).to_be_visible()
    local.get_by_role("button", name="Check local").click()
    expect(local.get_by_role("status").first).to_contain_text("3 of 3 places are free", timeout=LONG_MS)
    workers.fill("")
    local.get_by_role("button", name="Save settings").click()
    expect(local.get_by_text("Saved.")).to_be_visible()

    local.get_by_role("button", name="Test local").click()
    expect(local.get_by_role("status").first).to_contain_text("Test passed.", timeout=LONG_MS)
    local.get_by_role("button", name="Open the test").click()
    expect(lab.view.get_by_role("heading", level=2)).to_have_text("test of local")


def test_the_local_cluster_is_started_and_stopped(lab: LabPage) -> None:
    """Its card shows workers and log; what its executor says follows."""
    lab.execute("covalent-lab:open-executors")
    dask = card(lab, "dask")
    dask.get_by_role("button", name="Check dask").click()
    expect(dask.get_by_role("img", name="Not usable")).to_be_visible(timeout=LONG_MS)
    dask.get_by_role("button", name="Start cluster").click()
    expect(dask.get_by_role("button", name="Stop cluster")).to_be_enabled(timeout=LONG_MS)
    try:
        dask.get_by_label("Workers", exact=True).fill("1")
        dask.get_by_role("button", name="Scale").click()
        expect(dask.get_by_text("running, workers: 1")).to_be_visible(timeout=LONG_MS)
        dask.get_by_role("button", name="Test dask").click()
        expect(dask.get_by_role("status").first).to_contain_text("Test passed.", timeout=LONG_MS)
        dask.get_by_role("button", name="Show log").click()
        expect(dask.get_by_label("Log of the cluster")).to_be_visible()
    finally:
        dask.get_by_role("button", name="Stop cluster").click()
        expect(dask.get_by_role("button", name="Start cluster")).to_be_visible(timeout=LONG_MS)
