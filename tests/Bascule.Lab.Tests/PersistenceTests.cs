namespace Bascule.Lab.Tests;

/// <summary>The same client comes back to the same real server.</summary>
[Collection("Lab")]
public sealed class PersistenceTests(LabFixture lab)
{
    [LabTheory]
    [InlineData("dr", 32)]
    [InlineData("nat", 32)]
    [InlineData("ipip", 24)]
    public async Task A_client_stays_and_a_prefix_counts_as_one(string name, int mask)
    {
        await using TestDirector director = await lab.StartDirectorAsync(
            Way.Of(name).Virtual("rr", $"persistence: {{ by: source, timeout: 60s, mask: {mask} }}"), Way.Settings);

        List<string> servers = [];
        foreach (string client in (string[])["198.51.100.2", "198.51.100.3", "198.51.100.4"])
        {
            string[] answers = [await FromAsync(client), await FromAsync(client), await FromAsync(client)];
            servers.Add(Assert.Single(answers.Distinct()));
        }

        // Round robin gives three clients three servers; but all three are in one /24.
        Assert.Equal(mask == 32 ? 3 : 1, servers.Distinct().Count());
    }

    private Task<string> FromAsync(string client) => lab.CurlAsync($"http://{LabPlan.VirtualAddress}/", "--interface", client);
}
