using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Core.Tests.Scheduling;

public sealed class RequestHashTests
{
    private static readonly string[] Pages = [.. Enumerable.Range(0, 20_000).Select(i => $"/page/{i}?lang=en")];

    [Fact]
    public void The_same_content_is_asked_of_the_same_real_server_whoever_asks()
    {
        RequestHash hash = Over(new Farm(1, 1, 1));
        ulong content = hash.ContentOf("/logo.png"u8);

        Assert.Single(Enumerable.Range(0, 200).Select(i => hash.Pick(Client((uint)i) with { Content = content }, default, new Random(i))).Distinct());
    }

    [Fact]
    public void A_request_without_the_part_goes_by_the_clients_address()
    {
        RequestHash hash = Over(new Farm(1, 1, 1));

        Assert.All(Enumerable.Range(0, 50), i => Assert.Equal(hash.Pick(Client((uint)i), default, new Random(1)), hash.Pick(Client((uint)i), default, new Random(2))));
        Assert.Equal([0, 1, 2], Enumerable.Range(0, 50).Select(i => hash.Pick(Client((uint)i), default, new Random(1))).Distinct().Order());
    }

    [Fact]
    public void Two_directors_agree_and_another_key_is_another_order()
    {
        int[] here = Homes(Over(new Farm(1, 1, 1, 1)));
        int[] there = Homes(Over(new Farm(1, 1, 1, 1)));
        int[] elsewhere = Homes(Over(new Farm(1, 1, 1, 1), key: new(1, 2)));

        Assert.Equal(here, there);
        Assert.InRange(here.Where((home, i) => home != elsewhere[i]).Count() / (double)Pages.Length, 0.7, 0.8); // 3/4 meet another by chance
    }

    [Fact]
    public void Content_is_spread_in_proportion_to_weight_as_chance_would_have_it()
    {
        int[] homes = Homes(Over(new Farm(1, 2, 3, 4)));

        double chiSquared = Enumerable.Range(0, 4).Sum(i => Math.Pow(homes.Count(h => h == i) - (Pages.Length * (i + 1) / 10.0), 2) / (Pages.Length * (i + 1) / 10.0));

        Assert.InRange(chiSquared, 0, 16.27); // 3 degrees of freedom, probability 0.001
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(40)]
    [InlineData(100)]
    public void Taking_one_off_the_list_moves_its_own_content_and_a_hundredth_of_the_rest_at_most(int count)
    {
        int[] before = Homes(Over(new Farm([.. Enumerable.Repeat(1, count)])));
        int[] after = Homes(Over(new Farm([.. Enumerable.Repeat(1, count - 1)]))); // the last is gone

        double moved = before.Where((home, i) => home != after[i]).Count() / (double)Pages.Length;

        // Of 20,000 pages the share of one differs from 1/N by chance: three standard deviations are let be.
        double chance = 3 * Math.Sqrt(1.0 / count * (1 - (1.0 / count)) / Pages.Length);
        Assert.InRange(moved, (1.0 / count) - chance, (1.0 / count) + 0.01 + chance);
    }

    [Fact]
    public void One_that_is_down_or_drained_moves_its_own_content_alone_and_to_several()
    {
        Farm farm = new(1, 1, 1, 1, 1);
        RequestHash hash = Over(farm);
        int[] before = Homes(hash);
        farm.SetHealth(2, isUp: false);
        farm.RealServers[4].State = AdministrativeState.Drain;

        int[] after = Homes(hash);

        Assert.All(Enumerable.Range(0, Pages.Length).Where(i => before[i] is not (2 or 4)), i => Assert.Equal(before[i], after[i]));
        Assert.Equal([0, 1, 3], after.Distinct().Order());
        Assert.Equal([0, 1, 3], Enumerable.Range(0, Pages.Length).Where(i => before[i] == 2).Select(i => after[i]).Distinct().Order());
    }

    [Theory]
    [InlineData(110)]
    [InlineData(125)]
    [InlineData(200)]
    public void With_a_balance_factor_nobody_gets_more_than_that_of_his_share_even_of_one_page(int balanceFactor)
    {
        Farm farm = new(1, 1, 2);
        RequestHash hash = Over(farm, balanceFactor);
        ulong content = hash.ContentOf("/everybody/wants/this"u8);

        for (int i = 1; i <= 400; i++)
        {
            int choice = hash.Pick(Client(1) with { Content = content }, default, new Random(1));
            farm.SetActive(choice, farm.RealServers[choice].ActiveConnections + 1);
            Assert.InRange(farm.RealServers[choice].ActiveConnections, 1, Math.Ceiling(balanceFactor / 100.0 * i * farm.RealServers[choice].Weight / 4));
        }
    }

    [Fact]
    public void Without_a_bound_everybody_goes_home_however_busy_it_is()
    {
        Farm farm = new(1, 1, 1);
        RequestHash hash = Over(farm);
        ClientAddress client = Client(1) with { Content = hash.ContentOf("/everybody/wants/this"u8) };
        int home = hash.Pick(client, default, new Random(1));

        farm.SetActive(home, 1000);

        Assert.Equal(home, hash.Pick(client, default, new Random(1)));
    }

    [Fact]
    public void What_is_above_the_bound_goes_to_the_next_on_the_ring_and_content_comes_home_when_there_is_room()
    {
        Farm farm = new(1, 1, 1);
        RequestHash hash = Over(farm, balanceFactor: 125);
        int[] homes = Homes(hash);
        farm.SetActive(homes[0], 10);

        int[] meanwhile = Homes(hash);
        farm.SetActive(homes[0], 0);

        Assert.All(Enumerable.Range(0, Pages.Length).Where(i => homes[i] != homes[0]), i => Assert.Equal(homes[i], meanwhile[i]));
        Assert.DoesNotContain(homes[0], meanwhile);
        Assert.Equal(homes, Homes(hash));
    }

    private static int[] Homes(RequestHash hash) =>
        [.. Pages.Select(page => hash.Pick(Client(1) with { Content = hash.ContentOf(System.Text.Encoding.ASCII.GetBytes(page)) }, default, new Random(1)))];

    private static ClientAddress Client(uint number) => new(0, 0x0A000000 + number, 40000, IsIpv4: true);

    private static RequestHash Over(Farm farm, int? balanceFactor = null, FlowHashKey key = default) => new(
        new() { Hash = new(RequestPart.Uri, null, balanceFactor) }, farm.RealServers, [.. farm.RealServers.Select(r => r.Weight)], key);
}
