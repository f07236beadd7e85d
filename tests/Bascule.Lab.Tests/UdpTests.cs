namespace Bascule.Lab.Tests;

/// <summary>UDP, small and larger than the wire.</summary>
[Collection("Lab")]
public sealed class UdpTests(LabFixture lab)
{
    [LabTheory]
    [InlineData("dr")]
    [InlineData("nat")]
    [InlineData("full nat")]
    [InlineData("gue")]
    public async Task Every_real_server_answers_and_answers_larger_than_the_wire_arrive_whole(string name)
    {
        await using TestDirector director = await lab.StartDirectorAsync(Dns(Way.Of(name), 53, "rr"), Way.Settings);

        HashSet<string> answered = [];
        for (int i = 0; i < 6; i++)
            answered.Add(await DigAsync(LabPlan.VirtualAddress, "who.lab.test"));
        string answered6 = await DigAsync(LabPlan.VirtualAddress6, "who.lab.test");
        // 12 strings of 200 characters: two fragments on the way back, through the director where it is NAT.
        string large = await DigAsync(LabPlan.VirtualAddress, "long.lab.test"), large6 = await DigAsync(LabPlan.VirtualAddress6, "long.lab.test");

        Assert.Equal(["\"alpha\"", "\"beta\"", "\"gamma\""], answered.Order());
        Assert.Contains(answered6, answered);
        Assert.Equal((12 * 200, 12 * 200), (large.Count(c => c == 'x'), large6.Count(c => c == 'x')));
    }

    [LabTheory]
    [InlineData("dr", 4000)]
    [InlineData("nat", 4000)]
    [InlineData("full nat", 4000)]
    [InlineData("ipip", 4000)]
    [InlineData("dr", 20000)]
    public async Task A_datagram_in_fragments_reaches_one_real_server_whole(string name, int size)
    {
        Way way = Way.Of(name);
        await using TestDirector director = await lab.StartDirectorAsync(Dns(way, LabFixture.EchoPort, "mh"), Way.Settings);

        string[] answers = await AskAsync(LabPlan.VirtualAddress, size), answers6 = await AskAsync(LabPlan.VirtualAddress6, size);

        // The first to go into a tunnel meets the message that it does not fit; its sender then makes smaller fragments.
        Assert.All(answers.Concat(answers6).Where(answer => way.Segment != LabSegment.Far || answer != "MessageSize"), answer => Assert.Contains(answer, LabPlan.RealServers));
        Assert.True(answers.Count(answer => answer == "MessageSize") <= 1 && answers6.Count(answer => answer == "MessageSize") <= 1);
    }

    [LabFact]
    public async Task One_packet_scheduling_chooses_anew_for_each_datagram_of_a_socket()
    {
        await using TestDirector director = await lab.StartDirectorAsync(Dns(Way.Of("dr"), LabFixture.EchoPort, "rr", "onePacket: true"), Way.Settings);

        string[] answers = await AskAsync(LabPlan.VirtualAddress, 100, count: 6);

        Assert.Equal(["alpha", "alpha", "beta", "beta", "gamma", "gamma"], answers.Order());
    }

    [LabFact]
    public async Task Without_it_a_socket_stays_with_its_real_server()
    {
        await using TestDirector director = await lab.StartDirectorAsync(Dns(Way.Of("dr"), LabFixture.EchoPort, "rr"), Way.Settings);

        string[] answers = await AskAsync(LabPlan.VirtualAddress, 100, count: 6);

        Assert.Single(answers.Distinct());
        Assert.Contains(answers[0], LabPlan.RealServers);
    }

    private async Task<string> DigAsync(string server, string question) =>
        (await lab.Client.RunAsync("dig", $"@{server}", "+short", "+bufsize=4096", "+ignore", "+tries=1", "+time=5", question, "TXT")).Trim();

    private async Task<string[]> AskAsync(string address, int size, int count = 5) =>
        (await lab.Client.RunAsync(LabFixture.EchoProgram, "ask", address, $"{LabFixture.EchoPort}", $"{size}", $"{count}", "same"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Dns(Way way, int port, string scheduler, string more = "") => $$"""
          udp:
            address: {{LabPlan.VirtualAddress}}:{{port}}
            protocol: udp
            forward: {{way.Forward}}
            scheduler: {{scheduler}}
            check: none
            {{more}}
            realServers: [{{string.Join(", ", LabPlan.RealServers.Select(name => $"{LabPlan.AddressOf(name, way.Segment)}:{port}"))}}]
          udp6:
            address: "[{{LabPlan.VirtualAddress6}}]:{{port}}"
            protocol: udp
            forward: {{way.Forward6}}
            scheduler: {{scheduler}}
            check: none
            {{more}}
            realServers: [{{string.Join(", ", LabPlan.RealServers.Select(name => $"\"[{LabPlan.Address6Of(name, way.Segment)}]:{port}\""))}}]
        """;
}
