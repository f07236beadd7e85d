using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Testing.Packets;

namespace Bascule.Kernel.Tests.Bpf;

/// <summary>The door to BPF itself, with small.bpf.c behind it.</summary>
public sealed class BpfTests
{
    private static readonly byte[] Frame = PacketBuilder.Ethernet().Ipv4("192.0.2.1", "192.0.2.2").Udp(1, 2).PayloadOf(18).Frame();

    [KernelFact]
    public void A_constant_is_set_before_the_load()
    {
        using BpfObject small = Small.Open();
        small.SetConstant("answer", 1u);
        small.Load();

        Assert.Equal(1u, Run(small, "say"));
        Assert.Contains("can be set before loading only", Assert.Throws<BpfException>(() => small.SetConstant("answer", 2u)).Message);
    }

    [KernelFact]
    public void A_constant_that_is_not_there_or_of_another_size_is_named()
    {
        using BpfObject small = Small.Open();

        Assert.Equal("small has no constant question", Assert.Throws<BpfException>(() => small.SetConstant("question", 1u)).Message);
        Assert.StartsWith("constant answer of small has 4 bytes, not 8", Assert.Throws<BpfException>(() => small.SetConstant("answer", 1ul)).Message);
    }

    [KernelFact]
    public void What_the_verifier_refuses_is_said_with_its_reason()
    {
        using BpfObject refused = Small.Open("-DREFUSED");

        BpfException thrown = Assert.Throws<BpfException>(refused.Load);

        Assert.StartsWith("small could not be loaded: Permission denied", thrown.Message);
        Assert.Contains("invalid access to packet", thrown.Log);
        Assert.Contains("reads_too_far", thrown.Log);
    }

    [KernelFact]
    public void A_program_that_is_left_out_is_not_verified()
    {
        using BpfObject refused = Small.Open("-DREFUSED");
        refused.LeaveOut("reads_too_far");
        refused.Load();

        Assert.Equal("program reads_too_far of small is not loaded", Assert.Throws<BpfException>(() => refused.Program("reads_too_far")).Message);
        Assert.Equal(2u, Run(refused, "say"));
    }

    [KernelFact]
    public void Bytes_of_nobody_are_no_object() =>
        Assert.StartsWith("nonsense is not a BPF object", Assert.Throws<BpfException>(() => BpfObject.Open([1, 2, 3, 4], "nonsense")).Message);

    [KernelFact]
    public void A_map_holds_what_it_is_given_until_it_is_full()
    {
        using BpfObject small = Small.Load();
        using BpfMap<uint, ulong> numbers = small.Map<uint, ulong>("numbers");
        for (uint i = 0; i < 4; i++)
            numbers.Set(i, i * 10);

        Assert.Equal(Errno.TooBig, numbers.TrySet(4, 40));
        Assert.True(numbers.Remove(2));
        Assert.False(numbers.Remove(2));
        Assert.False(numbers.TryGet(2, out _));
        Assert.True(numbers.TryGet(3, out ulong thirty));
        Assert.Equal(30ul, thirty);
        Assert.Equal(new uint[] { 0, 1, 3 }, numbers.Entries().Select(entry => entry.Key).Order());
    }

    [KernelFact]
    public void A_large_map_is_read_whole()
    {
        const uint Entries = 10_000; // more than two batches
        using BpfObject small = Small.Open();
        small.SetEntries("numbers", Entries);
        small.Load();
        using BpfMap<uint, ulong> numbers = small.Map<uint, ulong>("numbers");
        for (uint i = 0; i < Entries; i++)
            numbers.Set(i, i);

        List<KeyValuePair<uint, ulong>> entries = numbers.Entries();

        Assert.Equal(Enumerable.Range(0, (int)Entries).Select(i => (ulong)i), entries.Select(entry => entry.Value).Order());
        Assert.Equal(100, numbers.Entries(atMost: 100).Count);
    }

    [KernelFact]
    public void A_map_that_knows_no_batches_is_read_one_by_one()
    {
        using BpfObject small = Small.Load();
        using BpfMap<uint, uint> devices = small.Map<uint, uint>("devices");
        devices.Set(9, 1);

        Assert.Equal([new KeyValuePair<uint, uint>(9, 1)], devices.Entries());
    }

    [KernelFact]
    public void Sizes_that_differ_are_named_instead_of_read_over()
    {
        using BpfObject small = Small.Load();

        Assert.Equal("map numbers has keys of 4 and values of 8 bytes, not 4 and 4", Assert.Throws<BpfException>(() => small.Map<uint, uint>("numbers")).Message);
    }

    [KernelFact]
    public void Counters_of_all_processors_are_read_and_set()
    {
        using BpfObject small = Small.Load();
        using PerProcessorMap<uint, uint> counts = small.PerProcessorMap<uint, uint>("counts");
        counts.Set(1, 5);
        Run(small, "say");

        Assert.Equal(BpfLibrary.Processors, counts.Get(1).Length);
        Assert.Equal((5u * (uint)BpfLibrary.Processors) + 1, counts.Get(1).Aggregate((sum, value) => sum + value));
        Assert.Equal(counts.Get(1), counts.GetAll(2)[BpfLibrary.Processors..]);
        Assert.Empty(counts.Get(2));
    }

    [KernelFact]
    public void An_inner_map_of_any_size_is_swapped_whole()
    {
        using BpfObject small = Small.Load();
        using BpfMap<uint, uint> outer = small.Map<uint, uint>("outer");
        Assert.Null(outer.Inner<uint, uint>(0));
        foreach (uint[] numbers in new uint[][] { [0, 1], [0, 3, 4, 5, 6] })
        {
            using BpfMap<uint, uint> inner = BpfMap.Create<uint, uint>("inner", MapType.Array, (uint)numbers.Length, MapFlags.Inner);
            inner.SetAll(numbers);
            outer.SetInner(0, inner);

            Assert.Equal(numbers[1], Run(small, "say"));
            using BpfMap<uint, uint>? read = outer.Inner<uint, uint>(0);
            Assert.Equal(numbers, read!.Entries().OrderBy(entry => entry.Key).Select(entry => entry.Value));
        }
    }

    [KernelFact]
    public void A_map_is_shared_by_two_objects_if_it_is_of_the_same_kind()
    {
        using BpfObject first = Small.Load();
        using BpfObject second = Small.Open();
        using BpfMap<uint, ulong> numbers = first.Map<uint, ulong>("numbers");
        using BpfMap counts = first.AnyMap("counts");
        second.Reuse("numbers", numbers);
        Assert.Contains("map devices of small is InterfaceHash", Assert.Throws<BpfException>(() => second.Reuse("devices", counts)).Message);
        second.Load();
        numbers.Set(1, 11);

        using BpfMap<uint, ulong> seen = second.Map<uint, ulong>("numbers");

        Assert.Equal(numbers.Id, seen.Id);
        Assert.True(seen.TryGet(1, out ulong eleven));
        Assert.Equal(11ul, eleven);
    }

    [KernelFact]
    public void Records_of_a_ring_buffer_arrive_and_a_reader_that_throws_is_heard()
    {
        using BpfObject small = Small.Load();
        using BpfMap events = small.AnyMap("events");
        List<byte[]> records = [];
        using (RingBuffer ring = new(events, record => records.Add(record.ToArray())))
        {
            Assert.Equal(0, ring.Poll(TimeSpan.Zero));
            Run(small, "say");
            Run(small, "say");
            Assert.Equal(2, ring.Poll(TimeSpan.FromSeconds(5)));
        }

        Assert.Equal([2, 0, 0, 0], records[1]);
        using RingBuffer broken = new(events, _ => throw new InvalidOperationException("enough"));
        Run(small, "say");
        Assert.Equal("enough", Assert.Throws<InvalidOperationException>(() => broken.Poll(TimeSpan.FromSeconds(5))).Message);
    }

    [KernelFact]
    public void A_program_is_called_with_a_struct()
    {
        using BpfObject small = Small.Load();
        using BpfProgram add = small.Program("add");
        (uint A, uint B, uint Sum) numbers = (3, 4, 0);

        Assert.Equal(7u, add.Call(ref numbers));
        Assert.Equal(7u, numbers.Sum);
    }

    [KernelFact]
    public void Names_and_shapes_are_those_of_the_source()
    {
        using BpfObject small = Small.Load();

        Assert.Equal(["say", "drop", "unspecified", "add"], small.ProgramNames);
        Assert.Equal(["counts", "devices", "events", "numbers", "outer"], small.MapNames.Where(name => !name.Contains('.', StringComparison.Ordinal)).Order());
        Assert.Equal(new(MapType.Hash, 4, 8, 4, 0), small.Shape("numbers"));
        Assert.Equal("small has no map letters", Assert.Throws<BpfException>(() => small.Shape("letters")).Message);
    }

    private static uint Run(BpfObject small, string name)
    {
        using BpfProgram program = small.Program(name);
        return program.Run(Frame, new byte[256]).Verdict;
    }
}
